// `retrovisor why`: the reason that hardware keeps to itself.
import { isFailure } from '@retrovisor/core';
import { EXIT } from '../exit-status.js';
import { explanationDocument, explanationText, stepToBlame } from '../output/explanation.js';
import { command } from '../output/next.js';
import { stepSentence } from '../output/step-list.js';
import { openTraceInput } from '../trace-input.js';
import type { VerbCode } from '../verb-table.js';

/** Explains the last failure, or the step at a position. */
export const why: VerbCode = async ([path = ''], options, output) => {
  const { timeline, definition } = await openTraceInput(path, options, output);
  const explanation = timeline.why(options.at);
  if (explanation === undefined) {
    output.result(
      { trace: path, explanation: null },
      () => `Nothing failed in ${path}.\nnext: ${command('events', path)}`,
    );
    return EXIT.done;
  }
  const blame = stepToBlame(explanation);
  output.result({ trace: path, explanation: explanationDocument(explanation) }, (colours) => {
    const hasFailed = isFailure(explanation.outcome) || explanation.hazards.length > 0;
    const text = hasFailed
      ? explanationText(explanation, definition, colours)
      : `${stepSentence(explanation.step)}\nThis step did not fail.`;
    const next =
      blame === undefined
        ? command('show', path, '--at', explanation.step.position)
        : command('diff', path, blame.position, blame.position + 1);
    return `${text}\n\nnext: ${next}`;
  });
  return EXIT.done;
};
