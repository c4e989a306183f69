// A recorded trace as a verb takes it: opened, its machine made again from plugins that the user has, its past ready to
// visit. Damage behind the header is no failure here: what is readable is shown, and the person is told.
import { definitionOf, logOf, type MachineDefinition, type MachineParts, Timeline, type Trace } from '@retrovisor/core';
import { openTraceFile } from '@retrovisor/core/node';
import { namedPlugins, recordedPlugin } from './guest/plugins.js';
import type { Output } from './output/output.js';

/** A trace with its machine. */
export interface TraceInput {
  readonly path: string;
  readonly trace: Trace;
  readonly definition: MachineDefinition;
  readonly timeline: Timeline;
}

/** What a recorded machine is made of: our own plugins as the trace configures them, and those that the user names. */
export async function partsFor({ header }: Trace, plugin: readonly string[]): Promise<MachineParts> {
  const named = await namedPlugins(plugin.filter((name) => name !== 'numa'));
  const ours = header.plugins.flatMap((recorded) => recordedPlugin(recorded) ?? []);
  return { plugins: [...named, ...ours] };
}

/** Opens a trace with its timeline, and says on stderr if it is damaged. @throws TraceFormatError, PluginError */
export async function openTraceInput(
  path: string,
  options: { readonly plugin: readonly string[] },
  output: Output,
): Promise<TraceInput> {
  const trace = openTraceFile(path);
  if (trace.damage !== undefined) output.note(damageText(path, trace));
  const definition = definitionOf(trace.header, await partsFor(trace, options.plugin));
  return { path, trace, definition, timeline: timelineOf(trace, definition, output) };
}

/** The timeline asks for a recorded state wherever it goes: so it is known how far back a search has come. */
function timelineOf(trace: Trace, definition: MachineDefinition, output: Output): Timeline {
  const progress = output.progress('searching back', trace.length);
  const stateBefore = (position: number) => {
    progress.update(trace.length - position);
    return trace.stateBefore(position, definition);
  };
  return new Timeline(definition, logOf(trace, definition), undefined, { stateBefore });
}

/** Where a trace is damaged and what of it can be read. */
export function damageText(path: string, { damage, size }: Trace): string {
  if (damage === undefined) return '';
  return `${path} is damaged at offset ${damage.offset} of ${size}: ${damage.reason}. It is readable up to position ${damage.readableUpTo}.`;
}
