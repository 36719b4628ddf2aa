-- Comments for people and for /schema. The types themselves are in migrations/0038-explanations.sql.
comment on column credits.charge_refunds.refund_seqs is
'For a charge: the refunds of it, in their order. Empty for a repayment.';
comment on type api.entry_receipt is
'One entry explained. tokens = balance_after - balance_before. price: the version of the price and whose it is. parts: '
'a line for each dimension, as in a quote, and how much of it was free (free_used). calculation: from the sum of the '
'parts to the tokens of the entry. lots: what each lot gave (below zero) or got, and the purchase that it came from. '
'purchase: the order of this entry. hold: the hold that it captured, and all captures of it. refunds_entry: the charge '
'that this entry gives back. refunds: the refunds of this entry. Null where it does not apply.';
comment on type api.balance_explanation is
'Why a balance is what it is. balance: the number that api.balance shows. balance_posted: what the entries add up to. '
'opening: the balance before the movements. holds: what is held, part of the balance. lots: the tokens that are there, '
'and when they expire: they add up to balance + debt. before_seq: give it to the next call, which goes on with older '
'movements; null when there are no older ones. With before_seq in the call, balance, held, holds and lots are null.';
comment on type audit.balance_line is
'A line of an explained balance. line: opening, movement, late, unbooked, balance, carried, held or lot. '
'balance_posted: the balance as the entries up to here were posted. balance_effective: the same lines in the order in '
'which they took effect, added up to here.';
