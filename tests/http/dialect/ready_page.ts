// A page that uses the types which api/typescript brings: test_generators.py type-checks it.
import { PostgrestClient } from '@supabase/postgrest-js'
import type { Database, Numeric } from './pgcredits'

const bank = new PostgrestClient<Database, {}, 'api'>('http://127.0.0.1/rest/v1', { schema: 'api' })

export async function spend(): Promise<Numeric | null> {
  const { data: quote } = await bank.rpc('quote_tokens', { module_id: 'whisper', usage: { calls: 2 } })
  const { data } = await bank.rpc('consume_tokens', { module_id: 'whisper', idempotency_key: 'k' }).select('cost,balance')
  const { data: entries } = await bank.from('entries').select('kind,tokens').lt('tokens', 0).order('posted_at').limit(10)
  const first: Numeric | null | undefined = entries?.[0]?.tokens
  await bank.rpc('set_spend_limit', { period: 'day', tokens: 100 })
  await bank.rpc('add_tokens', { user_id: 'ada', tokens: '0.000001', reason: 'promo' })
  // @ts-expect-error: a reason is a text
  await bank.rpc('add_tokens', { user_id: 'ada', tokens: 5, reason: 5 })
  // @ts-expect-error: a limit is lifted by a function of its own
  await bank.rpc('set_spend_limit', { period: 'day', tokens: null })
  // @ts-expect-error: there is no such view
  await bank.from('nonsense').select('*')
  return data?.cost ?? quote?.cost ?? first ?? null
}
