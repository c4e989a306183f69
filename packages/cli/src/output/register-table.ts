// The registers of a processor, as the person who debugs a triple fault wants them: everything in one screen, set bits by
// name. Which registers and bits there are, core and the plugins say.
import {
  CR0,
  CR4,
  EFER,
  type MachineDefinition,
  type MachineState,
  type ProcessorState,
  type RegisterBits,
  RFLAGS,
} from '@retrovisor/core';
import type { Colours } from './colour.js';
import { hex, hexDigits } from './hexadecimal.js';
import { indented, table } from './table.js';

const NAMED: readonly RegisterBits[] = [RFLAGS, CR0, CR4, EFER];
const GENERAL_COLUMNS = 4;

/** The names of the bits that are set; one without a name as `bit1`. */
export function setBits(
  register: string,
  value: bigint,
  { plugins }: Pick<MachineDefinition, 'plugins'>,
): readonly string[] {
  const names = new Map<number, string>();
  for (const row of NAMED) {
    if (row.register === register) for (const [name, bit] of Object.entries(row.bits)) names.set(bit, name);
  }
  for (const { registerBits = [] } of plugins)
    for (const row of registerBits) if (row.register === register) names.set(row.bit, row.name);
  if (names.size === 0) return [];
  const bits = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (value >> BigInt(bit)) & 1n);
  return bits.map((bit) => names.get(bit) ?? `bit${bit}`);
}

/** All registers of a processor; MSRs, x87 and SSE registers only as far as they are not what they were at position 0. */
export function registerTable(
  definition: MachineDefinition,
  processor: ProcessorState,
  initial: MachineState | undefined,
  colours: Colours,
): string {
  const { internal, activity } = processor;
  const title = `processor ${processor.id}: ${activity}, ${internal.cycles} cycles`;
  const parts = [
    generalRegisters(processor, colours),
    bitRegisters(definition, processor, colours),
    segmentRegisters(processor, colours),
    changedSince('x87 and SSE registers', floatingPoint, processor, initial?.processors[processor.id], colours),
    changedSince('MSRs', otherMsrs, processor, initial?.processors[processor.id], colours),
  ];
  return `${colours.bold(title)}\n${indented(parts.filter((part) => part !== '').join('\n\n'))}`;
}

function generalRegisters({ general }: ProcessorState, colours: Colours): string {
  const names = Object.keys(general).filter((name) => name !== 'RIP' && name !== 'RFLAGS');
  const lines = Math.ceil(names.length / GENERAL_COLUMNS);
  const rows = Array.from({ length: lines }, (_, line) =>
    names
      .filter((_name, index) => index % lines === line)
      .flatMap((name) => [colours.dim(name), hexDigits(general[name as keyof typeof general])]),
  );
  return table([], rows, colours);
}

/** Shown whatever they hold; other control registers, of which most programs never hear, only if they hold something. */
const ALWAYS_SHOWN = ['RIP', 'RFLAGS', 'CR0', 'CR2', 'CR3', 'CR4', 'IA32_EFER'];

/** RIP, control registers, RFLAGS and EFER, a line each with the names of their bits. */
function bitRegisters(definition: MachineDefinition, processor: ProcessorState, colours: Colours): string {
  const { general, control, debug, msrs } = processor;
  const { DR6, DR7 } = debug;
  const values = { RIP: general.RIP, RFLAGS: general.RFLAGS, ...control, DR6, DR7, IA32_EFER: msrs['IA32_EFER'] ?? 0n };
  const rows = Object.entries<bigint>(values)
    .filter(([name, value]) => value !== 0n || ALWAYS_SHOWN.includes(name))
    .map(([name, value]) => [
      colours.dim(name),
      hexDigits(value),
      colours.cyan(setBits(name, value, definition).join(' ')),
    ]);
  return table([], rows, colours);
}

function segmentRegisters({ segments, descriptorTables }: ProcessorState, colours: Colours): string {
  const rows = Object.entries(segments).map(([name, { selector, base, limit, attributes }]) => [
    name,
    hexDigits(selector, 16),
    hexDigits(base),
    hexDigits(limit, 32),
    hex(attributes),
  ]);
  const tables = Object.entries(descriptorTables).map(([name, { base, limit }]) => [
    name,
    '',
    hexDigits(base),
    hexDigits(limit, 32),
    '',
  ]);
  return table(['', 'selector', 'base', 'limit', 'attributes'], [...rows, ...tables], colours);
}

const floatingPoint = ({ x87, sse }: ProcessorState): Readonly<Record<string, bigint>> => ({ ...x87, ...sse });

const otherMsrs = ({ msrs }: ProcessorState): Readonly<Record<string, bigint>> => {
  const { IA32_EFER: _, ...others } = msrs;
  return others;
};

function changedSince(
  title: string,
  registersOf: (processor: ProcessorState) => Readonly<Record<string, bigint>>,
  processor: ProcessorState,
  initial: ProcessorState | undefined,
  colours: Colours,
): string {
  if (initial === undefined) return '';
  const before = registersOf(initial);
  const rows = Object.entries(registersOf(processor)).filter(([name, value]) => before[name] !== value);
  if (rows.length === 0) return '';
  return table(
    [`${title} changed since position 0`, '', 'at position 0'],
    rows.map(([name, value]) => [name, digits(name, value), digits(name, before[name] ?? 0n)]),
    colours,
  );
}

/** XMM registers have 128 bits, the data registers of the x87 FPU 80. */
function digits(name: string, value: bigint): string {
  return hexDigits(value, name.startsWith('XMM') ? 128 : /^R[0-7]$/.test(name) ? 80 : 64);
}

/** A line for each processor: for those that are not shown in full. */
export function processorTable(processors: readonly ProcessorState[], colours: Colours): string {
  const rows = processors.map(({ id, activity, general, internal }) => [
    id,
    activity,
    hex(general.RIP),
    internal.cycles,
  ]);
  return table(['processor', 'activity', 'RIP', 'cycles'], rows, colours);
}
