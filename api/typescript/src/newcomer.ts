import type { Bank, HoldOptions } from "./bank.js";
import { UnknownUser } from "./errors.js";
import type { Hold } from "./hold.js";

/** A hold of a user whom the application has signed in. A user without an account is new, so the account is opened. */
export async function holdOf(bank: Bank, module: string, user: string, options: HoldOptions): Promise<Hold> {
  try {
    return await bank.hold(module, user, options);
  } catch (error) {
    if (!(error instanceof UnknownUser)) throw error;
    await bank.openAccount(user);
    return await bank.hold(module, user, options);
  }
}
