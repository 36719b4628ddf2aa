/** Images cost tokens of the signed-in user, for as many as were painted. A request that fails is free. */
import { Bank } from "pgcredits";
import { charge } from "pgcredits/next";
import { paint, signedIn } from "../../work.ts";

const bank = new Bank(process.env.PGCREDITS_URL, process.env.PGCREDITS_API_KEY);

export const POST = charge("stablediffusion", { bank, user: signedIn, usage: { calls: 4 } }, async (request, hold) => {
  const { prompt, count } = await request.json();
  const images = await paint(prompt, count);
  hold.used({ calls: images.length });
  return Response.json({ images });
});
