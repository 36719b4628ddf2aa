/** A chat costs the tokens of the language model, as its provider reports them. */
import { streamText, wrapLanguageModel } from "ai";
import { Bank } from "pgcredits";
import { charging } from "pgcredits/ai";
import { model, signedIn } from "../../work.ts";

const bank = new Bank(process.env.PGCREDITS_URL, process.env.PGCREDITS_API_KEY);
const maxOutputTokens = 50;

export async function POST(request: Request): Promise<Response> {
  const user = signedIn(request);
  if (user instanceof Response) return user;
  const { prompt } = await request.json();
  const usage = { input_tokens: 20, output_tokens: maxOutputTokens };
  const { sufficient, cost, available } = await bank.quote("gpt-5", user, { usage });
  if (!sufficient) return Response.json({ error: "insufficient_tokens", cost, available }, { status: 402 });
  const middleware = charging({ bank, module: "gpt-5", user, maxOutputTokens });
  return streamText({ model: wrapLanguageModel({ model, middleware }), prompt }).toTextStreamResponse();
}
