// `retrovisor events`: the log with every instruction that it stands for, made by replaying.

import { EXIT } from '../exit-status.js';
import { command } from '../output/next.js';
import { StepList, stepDocument } from '../output/step-list.js';
import { compileFilter } from '../step-filter.js';
import { openTraceInput } from '../trace-input.js';
import type { VerbCode } from '../verb-table.js';

/** Steps between two looks at whether the reader still takes what is written. */
const STEPS_PER_BREATH = 512;

/** Lists steps; with --json one document a line. */
export const events: VerbCode = async ([path = ''], options, output) => {
  const filter = options.where === undefined ? undefined : compileFilter(options.where);
  const { timeline } = await openTraceInput(path, options, output);
  const { from = 0, to = timeline.length } = options;
  const end = Math.min(to, timeline.length);
  const list = new StepList(end, output.colours);
  const progress = output.progress('replaying', end - from);
  if (!output.json) output.write(`${list.headings()}\n`);
  let [seen, shown, failed] = [0, 0, undefined as number | undefined];
  for (const step of timeline.steps(from, end)) {
    if (filter === undefined || filter(step)) {
      shown++;
      const document = stepDocument(step);
      if (document.failed) failed = step.position;
      output.line(document, () => list.step(step));
    }
    if (++seen % STEPS_PER_BREATH === 0) {
      progress.update(seen);
      await output.drained();
    }
  }
  progress.hide();
  if (!output.json)
    output.note(
      `${shown} of ${timeline.length} positions; next: ${failed === undefined ? command('show', path, '--at', end) : command('why', path, '--at', failed)}`,
    );
  return EXIT.done;
};
