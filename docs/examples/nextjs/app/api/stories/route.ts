/** A story is sent part by part. Its user pays for the parts they received, also if they leave or the rest fails. */
import { Bank } from "pgcredits";
import { charge } from "pgcredits/next";
import { signedIn, tell } from "../../work.ts";

const bank = new Bank(process.env.PGCREDITS_URL, process.env.PGCREDITS_API_KEY);

export const POST = charge("whisper", { bank, user: signedIn, usage: { calls: 4 } }, async (request, hold) => {
  const { pauses } = await request.json();
  const story = tell(pauses, request.signal);
  const body = new ReadableStream({
    async pull(controller) {
      const { value, done } = await story.next();
      if (done) return controller.close();
      hold.delivered({ calls: 1 });
      controller.enqueue(new TextEncoder().encode(value));
    },
  });
  return new Response(body);
});
