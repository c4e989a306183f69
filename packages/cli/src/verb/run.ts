// `retrovisor run`: a guest goes to its end; its console is stdout, what is said about it stderr.

import { codeAddress } from '../guest/code-address.js';
import { sessionDocument, sessionText } from '../guest/ending.js';
import { openGuest } from '../guest/guest.js';
import { runGuest } from '../guest/session.js';
import { listingText } from '../output/compiled-listing.js';
import type { VerbCode } from '../verb-table.js';

/** Runs an image or a script. */
export const run: VerbCode = async ([path = ''], options, output) => {
  const { showCompiled } = options;
  const guest = await openGuest(path, options);
  const address = showCompiled === undefined ? undefined : codeAddress(showCompiled, path);
  const session = await runGuest(guest, options, output);
  // Before the past is visited, which takes other machines.
  const listing = address === undefined ? undefined : guest.machine.listCompiled(address);
  const document = (): unknown => sessionDocument(session, undefined, listing);
  if (listing !== undefined)
    output.result(output.json ? document() : undefined, (colours) => listingText(listing, colours));
  else if (output.json) output.result(document(), () => '');
  if (!output.json) output.report((colours) => sessionText(session, colours));
  return session.status;
};
