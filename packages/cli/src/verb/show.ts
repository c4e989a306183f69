// `retrovisor show`: the state at a position. Registers are core's; every other table is a plugin's view.
import type { MachineDefinition, MachineState, View } from '@retrovisor/core';
import { EXIT } from '../exit-status.js';
import { UsageError } from '../input-error.js';
import type { Colours } from '../output/colour.js';
import { command } from '../output/next.js';
import { processorTable, registerTable } from '../output/register-table.js';
import { stepSentence } from '../output/step-list.js';
import { indented, table } from '../output/table.js';
import { openTraceInput, type TraceInput } from '../trace-input.js';
import type { VerbCode } from '../verb-table.js';

/** Shows registers, or a view. Default: the state after the last event. */
export const show: VerbCode = async ([path = ''], options, output) => {
  const input = await openTraceInput(path, options, output);
  const { timeline, definition } = input;
  const position = options.at ?? timeline.length;
  const state = timeline.seek(position);
  const processors = chosenProcessors(state, options.processor);
  const views = options.view === undefined ? undefined : viewNamed(definition, options.view, state);
  output.result(
    { trace: path, position, ...(views === undefined ? { processors } : { view: options.view, tables: views }) },
    (colours) => {
      const body =
        views === undefined
          ? registerTexts(input, state, options.processor, colours)
          : views.map((view) => viewText(view, colours));
      return [
        positionText(input, position, colours),
        ...body,
        `next: ${nextCommand(input, position, options.view)}`,
      ].join('\n\n');
    },
  );
  return EXIT.done;
};

function chosenProcessors({ processors }: MachineState, chosen: number | undefined): MachineState['processors'] {
  if (chosen === undefined) return processors;
  const processor = processors[chosen];
  if (processor !== undefined) return [processor];
  throw new UsageError(
    'UNKNOWN_PROCESSOR',
    { processor: chosen, processors: processors.length },
    `there is no processor ${chosen}: 0 to ${processors.length - 1} are accepted`,
  );
}

/** The processor that acts next (or acted last) in full, the others in a line each: all of them would fill screens. */
function registerTexts(
  { timeline, definition }: TraceInput,
  state: MachineState,
  chosen: number | undefined,
  colours: Colours,
): readonly string[] {
  const { position, processors } = state;
  const acting = timeline.length === 0 ? undefined : timeline.stepAt(Math.min(position, timeline.length - 1));
  const shown = processors[chosen ?? acting?.processor ?? 0];
  const others = chosen === undefined ? processors.filter((processor) => processor !== shown) : [];
  return [
    ...(shown === undefined ? [] : [registerTable(definition, shown, timeline.seek(0), colours)]),
    ...(others.length === 0 ? [] : [indented(processorTable(others, colours))]),
  ];
}

function viewNamed(definition: MachineDefinition, name: string, state: MachineState): readonly View[] {
  const view = definition.plugins.find(({ views }) => views !== undefined && Object.hasOwn(views, name))?.views?.[name];
  if (view !== undefined) return view(state, definition);
  const accepted = viewNames(definition);
  throw new UsageError(
    'UNKNOWN_VIEW',
    { view: name, accepted },
    `no plugin of this trace has a view ${name}; there are ${accepted.join(', ') || 'none'}`,
  );
}

function viewNames({ plugins }: MachineDefinition): readonly string[] {
  return plugins.flatMap(({ views = {} }) => Object.keys(views));
}

function viewText({ title, columns, rows }: View, colours: Colours): string {
  const body = rows.length === 0 ? colours.dim('nothing') : table(columns, rows, colours);
  return `${colours.bold(title)}\n${indented(body)}`;
}

/** Where the state stands: what happened just before, what happens next. */
function positionText({ timeline }: TraceInput, position: number, colours: Colours): string {
  const before = position === 0 ? [] : [`before  ${stepSentence(timeline.stepAt(position - 1))}`];
  const after = position === timeline.length ? [] : [`next    ${stepSentence(timeline.stepAt(position))}`];
  return [colours.bold(`position ${position} of ${timeline.length}`), ...before, ...after].join('\n');
}

function nextCommand({ path, definition, timeline }: TraceInput, position: number, view: string | undefined): string {
  const [other] = viewNames(definition).filter((name) => name !== view);
  if (other !== undefined && view === undefined) return command('show', path, '--at', position, '--view', other);
  return position < timeline.length ? command('diff', path, position, position + 1) : command('events', path);
}
