// `retrovisor fork`: go back, change something, and see how it comes out. Without --steps the recorded events happen again
// on the changed state: the same intrinsics, the same inputs, as many instructions of each processor.
import {
  type AppliedEvent,
  describeEvent,
  isFailure,
  isStepsRetired,
  type Machine,
  resumeMachine,
  writeTrace,
} from '@retrovisor/core';
import { fileSink } from '@retrovisor/core/node';
import { EXIT } from '../exit-status.js';
import { applyEdit, parseEdit } from '../guest/edit.js';
import { UsageError } from '../input-error.js';
import type { Options } from '../option-table.js';
import { command } from '../output/next.js';
import { StepList, stepDocument } from '../output/step-list.js';
import { openTraceInput, type TraceInput } from '../trace-input.js';
import type { VerbCode } from '../verb-table.js';

/** Events that the answer lists at the most; the rest is in the new trace. */
const MOST_EVENTS_SHOWN = 1000;

/** Forks, edits, goes on, and saves what came of it. */
export const fork: VerbCode = async ([path = ''], options, output) => {
  const input = await openTraceInput(path, options, output);
  const position = positionOf(options);
  const edits = options.edit.map((text) => parseEdit(input.definition, text));
  const machine = resumeMachine(input.timeline.fork(position));
  const applied = watch(machine);
  for (const edit of edits) applyEdit(machine, edit);
  goOn(machine, input, position, options.steps);
  if (options.output !== undefined) writeTrace(machine.definition, machine.log, fileSink(options.output));
  const last = applied.at(-1);
  const steps = applied.slice(0, MOST_EVENTS_SHOWN).map(stepOf);
  output.result(
    {
      trace: path,
      at: position,
      edits: options.edit,
      position: machine.position,
      events: steps.map(stepDocument),
      outcome: last?.outcome ?? null,
      output: options.output ?? null,
    },
    (colours) => {
      const list = new StepList(machine.position, colours);
      const next =
        options.output === undefined
          ? command(
              'fork',
              path,
              '--at',
              position,
              ...options.edit.flatMap((edit) => ['--edit', edit]),
              '-o',
              'fork.rvt',
            )
          : command('diff', path, options.output);
      return [list.headings(), ...steps.map((step) => list.step(step)), '', `next: ${next}`].join('\n');
    },
  );
  return last !== undefined && isFailure(last.outcome) ? EXIT.failed : EXIT.done;
};

function positionOf({ at }: Options): number {
  if (at !== undefined) return at;
  throw new UsageError('FORK_WITHOUT_POSITION', { option: 'at' }, 'fork needs --at POSITION: where the trace is left');
}

function watch(machine: Machine): readonly AppliedEvent[] {
  const applied: AppliedEvent[] = [];
  machine.events$.subscribe({ next: (event) => applied.push(event), error: () => {} });
  return applied;
}

function goOn(machine: Machine, { timeline }: TraceInput, position: number, steps: number | undefined): void {
  if (steps !== undefined) {
    machine.run({ maxSteps: steps });
    return;
  }
  for (const { event } of timeline.log.slice(position, timeline.length)) {
    if (isStepsRetired(event)) machine.step(event.processor, event.steps);
    else machine.apply(event);
  }
}

/** An event as the lists show it: a run of instructions stays one line. */
function stepOf({ position, event, outcome }: AppliedEvent) {
  const processor = 'processor' in event ? (event.processor as number) : undefined;
  return { position, event, processor, text: describeEvent(event), outcome };
}
