// `retrovisor run`: a guest goes to its end; its console is stdout, what is said about it stderr.

import { sessionDocument, sessionText } from '../guest/ending.js';
import { openGuest } from '../guest/guest.js';
import { runGuest } from '../guest/session.js';
import type { VerbCode } from '../verb-table.js';

/** Runs an image or a script. */
export const run: VerbCode = async ([path = ''], options, output) => {
  const session = await runGuest(await openGuest(path, options), options, output);
  if (output.json) output.result(sessionDocument(session), () => '');
  else output.report((colours) => sessionText(session, colours));
  return session.status;
};
