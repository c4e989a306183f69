// `retrovisor who`: the event that last wrote a place.

import { EXIT } from '../exit-status.js';
import { valueText } from '../output/hexadecimal.js';
import { command } from '../output/next.js';
import { stepDocument, stepSentence } from '../output/step-list.js';
import { openTraceInput } from '../trace-input.js';
import type { VerbCode } from '../verb-table.js';

/** Finds the last write; for a bit, the last change. */
export const who: VerbCode = async ([path = '', location = ''], options, output) => {
  const { timeline } = await openTraceInput(path, options, output);
  const before = options.before ?? timeline.length;
  const step = timeline.lastWrite(location, before);
  const value = timeline.read(location, before);
  const earlier = step === undefined ? undefined : timeline.read(location, step.position);
  const document = {
    trace: path,
    location,
    before,
    value: value ?? null,
    earlier: earlier ?? null,
    writer: step === undefined ? null : stepDocument(step),
  };
  output.result(document, (colours) => {
    const stands = `${colours.bold(location)} is ${valueText(value)} at position ${before}`;
    if (step === undefined)
      return `${stands}; nobody wrote it since position 0.\nnext: ${command('show', path, '--at', 0)}`;
    const next =
      step.position === 0
        ? command('show', path, '--at', 0)
        : command('who', path, location, '--before', step.position);
    return [`${stands}; before the last write it was ${valueText(earlier)}.`, stepSentence(step), `next: ${next}`].join(
      '\n',
    );
  });
  return EXIT.done;
};
