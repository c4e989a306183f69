// The grammar of places: what `who`, `why`, rules and diffs name.
//
//   RAX  CS.base  IA32_PAT         a register of processor 0, MSRs included
//   CR4.VMXE                       a bit of a register
//   ST0  MM0                       the top of the x87 stack, wherever that is; bits 63:0 of the data register R0
//   processor/1/RAX                … of another processor
//   [0x1000]  [0x1000+8]           physical memory: address, bytes (1 if not said)
//   slice/numa/accesses/0          a path into the machine-wide slice of a plugin; processor/1/slice/… into one a processor
//   vmcs:Guest RIP                 a name of a plugin; processor/1/vmcs:… as another processor sees it
import { UsageError } from '../error.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { RegisterBits } from '../register/bits.js';
import { CR0, CR4, EFER } from '../register/control-registers.js';
import { RFLAGS } from '../register/rflags.js';
import type { MachineState } from '../state/machine.js';
import { registerOf } from '../state/seal-processor.js';

/** A place in a machine. */
export type Location =
  | {
      readonly kind: 'register';
      readonly processor: number;
      readonly register: string;
      readonly bit: number | undefined;
      /** Set for a name of the low bits alone: MM0 is 64 bits of R0. */
      readonly lowBits?: number;
      readonly text: string;
    }
  | { readonly kind: 'stack'; readonly processor: number; readonly index: number; readonly text: string }
  | { readonly kind: 'memory'; readonly address: number; readonly bytes: number; readonly text: string }
  | {
      readonly kind: 'slice';
      readonly processor: number | undefined;
      readonly plugin: string;
      readonly path: readonly string[];
      readonly text: string;
    }
  | {
      readonly kind: 'named';
      readonly processor: number;
      readonly prefix: string;
      readonly name: string;
      readonly text: string;
    };

/** A place that does not depend on the state any more. */
export type ResolvedLocation = Exclude<Location, { kind: 'named' | 'stack' }>;

const NAMED_BITS: readonly RegisterBits[] = [CR0, CR4, EFER, RFLAGS];
const MEMORY = /^\[(0x[0-9a-f]+|\d+)(?:\+(0x[0-9a-f]+|\d+))?\]$/i;
const PROCESSOR = /^processor\/(\d+)\/(.+)$/;
const SLICE = /^slice\/([^/]+)(?:\/(.*))?$/;
const NAMED = /^([a-z][a-z0-9-]*):(.+)$/;
const X87_STACK = /^ST([0-7])$/;
const MMX = /^MM([0-7])$/;
const MMX_BITS = 64;
const MOST_BYTES = 2 ** 20;

/**
 * Reads a location for a machine.
 * @throws UsageError LOCATION that says what is not there and what is accepted
 */
export function parseLocation(definition: MachineDefinition, text: string): Location {
  const refuse = (why: string): never => {
    throw new UsageError(
      'LOCATION',
      { location: text },
      `${text}: ${why}; examples are RAX, CR4.VMXE, processor/1/IA32_EFER, [0x1000+8]${examples(definition)}`,
    );
  };
  const [, processorText, rest = text] = PROCESSOR.exec(text) ?? [];
  const processor = Number(processorText ?? 0);
  if (processor >= definition.processors) refuse(`there is no processor ${processor}`);
  const memory = MEMORY.exec(rest);
  if (memory !== null) return memoryLocation(text, Number(memory[1]), Number(memory[2] ?? 1), refuse);
  const [, slice, path = ''] = SLICE.exec(rest) ?? [];
  if (slice !== undefined) {
    if (!definition.plugins.some(({ name }) => name === slice)) refuse(`there is no plugin ${slice}`);
    return {
      kind: 'slice',
      processor: processorText === undefined ? undefined : processor,
      plugin: slice,
      path: path.split('/').filter(Boolean),
      text,
    };
  }
  const [, prefix, name = ''] = NAMED.exec(rest) ?? [];
  if (prefix !== undefined) {
    if (!definition.plugins.some(({ locations }) => locations !== undefined && prefix in locations))
      refuse(`no plugin names places with ${prefix}:`);
    return { kind: 'named', processor, prefix, name, text };
  }
  return registerLocation(definition, text, processor, rest) ?? refuse(`this machine has no register ${rest}`);
}

function examples({ plugins }: MachineDefinition): string {
  return plugins
    .flatMap(({ locations = {} }) =>
      Object.entries(locations).map(([prefix, { names }]) => `, ${prefix}:${names[0] ?? '…'}`),
    )
    .join('');
}

function memoryLocation(text: string, address: number, bytes: number, refuse: (why: string) => never): Location {
  if (!Number.isSafeInteger(address) || address >= 2 ** 52) refuse('a physical address has up to 52 bits');
  if (bytes < 1 || bytes > MOST_BYTES) refuse(`1 to ${MOST_BYTES} bytes are accepted`);
  return { kind: 'memory', address, bytes, text };
}

function registerLocation(
  { registers, plugins }: MachineDefinition,
  text: string,
  processor: number,
  name: string,
): Location | undefined {
  if (registers.slots.has(name)) return { kind: 'register', processor, register: name, bit: undefined, text };
  const [, stackIndex] = X87_STACK.exec(name) ?? [];
  if (stackIndex !== undefined) return { kind: 'stack', processor, index: Number(stackIndex), text };
  const [, mmx] = MMX.exec(name) ?? [];
  if (mmx !== undefined)
    return { kind: 'register', processor, register: `R${mmx}`, bit: undefined, lowBits: MMX_BITS, text };
  const dot = name.lastIndexOf('.');
  const [register, bitName] = [name.slice(0, dot), name.slice(dot + 1)];
  if (dot < 0 || !registers.slots.has(register)) return undefined;
  const added = plugins
    .flatMap(({ registerBits = [] }) => registerBits)
    .find((row) => row.register === register && row.name === bitName);
  const bit =
    NAMED_BITS.find((row) => row.register === register)?.bits[bitName] ??
    added?.bit ??
    bitNumber(bitName, registers.register(register).width);
  return bit === undefined ? undefined : { kind: 'register', processor, register, bit, text };
}

/** A bit may also be given by its number: `IA32_FEATURE_CONTROL.0`. */
function bitNumber(text: string, width: number): number | undefined {
  const bit = Number(text);
  return /^\d+$/.test(text) && bit < Math.max(width, 64) ? bit : undefined;
}

/** The place behind a plugin's name, or on the x87 stack, at a state; undefined if there is none now (no current VMCS). */
export function resolveLocation(
  definition: MachineDefinition,
  location: Location,
  state: MachineState,
): ResolvedLocation | undefined {
  if (location.kind === 'stack') return onStack(location, state);
  if (location.kind !== 'named') return location;
  const { prefix, name, processor, text } = location;
  const found = definition.plugins
    .find(({ locations }) => locations !== undefined && prefix in locations)
    ?.locations?.[prefix]?.resolve(name, state, processor);
  if (found === undefined) return undefined;
  if (found.kind === 'memory') return { ...found, text };
  return { kind: 'register', processor, register: found.register, bit: undefined, text };
}

/** ST(i) is the data register i places above the top, which is in bits 13:11 of FSW. */
function onStack({ processor, index, text }: Location & { kind: 'stack' }, state: MachineState): ResolvedLocation {
  const top = Number(((state.processors[processor]?.x87.FSW ?? 0n) >> 11n) & 7n);
  return { kind: 'register', processor, register: `R${(top + index) & 7}`, bit: undefined, text };
}

/** What stands at a location: a number for memory up to 8 bytes, registers and bits, bytes or slice data otherwise. */
export function readLocation(definition: MachineDefinition, location: Location, state: MachineState): unknown {
  const resolved = resolveLocation(definition, location, state);
  if (resolved === undefined) return undefined;
  switch (resolved.kind) {
    case 'register': {
      const value = readRegister(definition, state, resolved.processor, resolved.register);
      return partOfRegister(resolved, value);
    }
    case 'memory': {
      const bytes = state.memory.read(resolved.address, resolved.bytes);
      return bytes.length > 8 ? bytes : bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    }
    case 'slice': {
      const slices = resolved.processor === undefined ? state.plugins : state.processors[resolved.processor]?.plugins;
      return resolved.path.reduce<unknown>(
        (value, key) => (value as Record<string, unknown> | undefined)?.[key],
        slices?.[resolved.plugin],
      );
    }
  }
}

/** The bit or the low bits that a location names of a register's value, or all of it. */
export function partOfRegister({ bit, lowBits }: Location & { kind: 'register' }, value: bigint): bigint {
  if (lowBits !== undefined) return BigInt.asUintN(lowBits, value);
  return bit === undefined ? value : (value >> BigInt(bit)) & 1n;
}

function readRegister(
  { registers }: MachineDefinition,
  state: MachineState,
  processor: number,
  register: string,
): bigint {
  const row = registers.register(register);
  const sealed = state.processors[processor];
  if (sealed === undefined)
    throw new UsageError('LOCATION', { register, processor }, `processor ${processor} has no register ${register}`);
  return registerOf(sealed, row.group, row.name);
}
