// `retrovisor record`: `run` with a trace. Whatever ends the guest, what it did until then is in the file.
import { basename, extname } from 'node:path';
import { recordToFile } from '@retrovisor/core/node';
import { sessionDocument, sessionText } from '../guest/ending.js';
import { openGuest } from '../guest/guest.js';
import { runGuest } from '../guest/session.js';
import type { VerbCode } from '../verb-table.js';

/** Records an image or a script. */
export const record: VerbCode = async ([path = ''], options, output) => {
  const guest = await openGuest(path, options);
  const file = options.output ?? traceNameFor(path);
  const recording = recordToFile(guest.machine, file);
  const session = await runGuest(guest, options, output).finally(() => recording.close());
  const trace = { path: file, bytes: recording.bytesWritten };
  if (output.json) output.result(sessionDocument(session, trace), () => '');
  else {
    output.note(`recorded ${recording.position} positions in ${file} (${trace.bytes} bytes)`);
    output.report((colours) => sessionText(session, colours, file));
  }
  return session.status;
};

/** `walk.rvt` for `examples/walk.ts`, in the current folder. */
function traceNameFor(path: string): string {
  return `${basename(path, extname(path))}.rvt`;
}
