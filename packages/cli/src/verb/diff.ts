// `retrovisor diff`: two positions of one trace, or two traces.

import { EXIT } from '../exit-status.js';
import { UsageError } from '../input-error.js';
import { parseCount } from '../option-values.js';
import { differenceRows } from '../output/difference-table.js';
import { command } from '../output/next.js';
import type { Output } from '../output/output.js';
import { stepDocument, stepSentence } from '../output/step-list.js';
import { table } from '../output/table.js';
import { findDivergence } from '../trace-divergence.js';
import { openTraceInput, type TraceInput } from '../trace-input.js';
import type { VerbCode } from '../verb-table.js';

/** Compares positions `a` and `b`, or two traces if there are only two operands. */
export const diff: VerbCode = async ([path = '', a = '', b], options, output) => {
  const input = await openTraceInput(path, options, output);
  if (b !== undefined) return diffPositions(input, positionIn(a), positionIn(b), output);
  return diffTraces(input, await openTraceInput(a, options, output), output);
};

function positionIn(text: string): number {
  try {
    return parseCount(text);
  } catch {
    throw new UsageError(
      'NO_POSITION',
      { value: text },
      `${text} is no position: diff TRACE A B compares two positions, diff TRACE TRACE two traces`,
    );
  }
}

function diffPositions({ path, timeline, definition }: TraceInput, from: number, to: number, output: Output): 0 {
  const differences = [...timeline.diff(from, to)];
  output.result({ trace: path, from, to, differences }, (colours) => {
    const rows = differenceRows(differences, definition, colours);
    const step = to - from === 1 ? [stepSentence(timeline.stepAt(from)), ''] : [];
    const body =
      rows.length === 0
        ? 'The states are equal.'
        : table(['location', `position ${from}`, `position ${to}`, ''], rows, colours);
    const [first] = differences;
    return [
      ...step,
      body,
      '',
      `next: ${first === undefined ? command('events', path) : command('who', path, first.location, '--before', Math.max(from, to))}`,
    ].join('\n');
  });
  return EXIT.done;
}

function diffTraces(one: TraceInput, other: TraceInput, output: Output): 0 | 1 {
  const divergence = findDivergence(one, other, output);
  const { position, machine, left, right, differences } = divergence;
  const document = {
    traces: [one.path, other.path],
    equal: position === undefined,
    machine,
    position: position ?? null,
    steps: [left, right].map((step) => (step === undefined ? null : stepDocument(step))),
    differences,
  };
  output.result(document, (colours) => {
    const machines =
      machine.length === 0
        ? []
        : [
            table(
              ['machine', one.path, other.path],
              machine.map(({ name, values }) => [name, ...values]),
              colours,
            ),
            '',
          ];
    if (position === undefined)
      return [...machines, `${one.path} and ${other.path} are the same for all ${one.timeline.length} positions.`].join(
        '\n',
      );
    const steps = [
      [one.path, left],
      [other.path, right],
    ] as const;
    const sentences = steps.map(([path, step]) => [path, step === undefined ? 'ends here' : stepSentence(step)]);
    const rows = differenceRows(differences, one.definition, colours);
    return [
      ...machines,
      colours.bold(`The traces part at position ${position}:`),
      table([], sentences, colours),
      ...(rows.length === 0 ? [] : ['', table(['location', one.path, other.path, ''], rows, colours)]),
      '',
      `next: ${command('show', one.path, '--at', position)}`,
    ].join('\n');
  });
  return position === undefined ? EXIT.done : EXIT.failed;
}
