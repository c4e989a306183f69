// The same machine as a plain reducer, for Immer and mutative: the registers of one processor of ours, in groups of 16 as
// they would have to be sharded, or all in one flat object. The reducer checks nothing, knows no faults and keeps no log of
// events, all of which the machine does: the comparison is in the peers' favour.
import { createMachine, longMode, type ProcessorState } from '@retrovisor/core';
import { vmx } from '@retrovisor/vmx';
import { produce } from 'immer';
import { create } from 'mutative';
import type { Contestant, Effort } from './measure.js';
import { amount } from './measure.js';

type Registers = Readonly<Record<string, bigint>>;

/** One processor, and how many events there were. */
interface PeerState {
  readonly position: number;
  /** By shard, then by name. */
  readonly registers: Readonly<Record<string, Registers>>;
}

/** The same inside a recipe. */
interface PeerDraft {
  position: number;
  registers: Record<string, Record<string, bigint>>;
}

/** What the mix does, as events of the reducer. */
type PeerEvent =
  | { readonly kind: 'wrmsr' | 'rdmsr'; readonly msr: string; readonly value: bigint }
  | { readonly kind: 'cpuid'; readonly leaf: bigint }
  | { readonly kind: 'movToCr'; readonly register: string; readonly value: bigint };

const SHARD = 16;

/** Every register of a processor by a name of its own. */
function allRegisters(processor: ProcessorState): readonly (readonly [name: string, value: bigint])[] {
  const { general, control, debug, msrs, segments, descriptorTables } = processor;
  const parts = Object.entries({ ...segments, ...descriptorTables }).flatMap(([name, fields]) =>
    Object.entries(fields).map(([field, value]) => [`${name}.${field}`, value as bigint] as const),
  );
  return [...[general, control, debug, msrs].flatMap((group) => Object.entries<bigint>(group)), ...parts];
}

interface Layout {
  readonly initial: PeerState;
  readonly shardOf: ReadonlyMap<string, string>;
}

function layout(sharded: boolean): Layout {
  const [processor] = createMachine({ profile: 'intel-server', boot: longMode(), plugins: [vmx] }).state.processors;
  if (processor === undefined) throw new RangeError('a machine without a processor');
  const registers: Record<string, Record<string, bigint>> = {};
  const shardOf = new Map<string, string>();
  for (const [index, [name, value]] of allRegisters(processor).entries()) {
    const shard = sharded ? String(Math.floor(index / SHARD)) : 'all';
    registers[shard] ??= {};
    registers[shard][name] = value;
    shardOf.set(name, shard);
  }
  return { initial: { position: 0, registers }, shardOf };
}

function reduce({ shardOf }: Layout, draft: PeerDraft, event: PeerEvent): void {
  const shard = (register: string): Record<string, bigint> => draft.registers[shardOf.get(register) ?? ''] ?? {};
  const set = (register: string, value: bigint) => {
    shard(register)[register] = value;
  };
  switch (event.kind) {
    case 'wrmsr':
    case 'rdmsr': {
      if (event.kind === 'wrmsr') set(event.msr, event.value);
      const value = shard(event.msr)[event.msr] ?? 0n;
      set('RCX', 0x277n);
      set('RAX', value & 0xffff_ffffn);
      set('RDX', value >> 32n);
      break;
    }
    case 'cpuid':
      for (const register of ['RAX', 'RBX', 'RCX', 'RDX']) set(register, event.leaf);
      break;
    case 'movToCr':
      set(event.register, event.value);
      break;
  }
  draft.position++;
}

/** Event `index` of the mix that intrinsics.ts gives to the machine. */
function eventOf(index: number): PeerEvent {
  const value = BigInt(index);
  const msr = index & 4 ? 'IA32_PAT' : 'IA32_LSTAR';
  const mix: readonly PeerEvent[] = [
    { kind: 'wrmsr', msr, value },
    { kind: 'rdmsr', msr, value },
    { kind: 'cpuid', leaf: BigInt(index & 4) },
    { kind: 'movToCr', register: 'CR2', value },
  ];
  return mix[index & 3] as PeerEvent;
}

type Step = (state: PeerState, recipe: (draft: PeerDraft) => void) => PeerState;

const immer: Step = (state, recipe) => produce(state, (draft) => recipe(draft as unknown as PeerDraft));
const mutative: Step = (state, recipe) => create(state, (draft) => recipe(draft as unknown as PeerDraft));
const mutativeFrozen: Step = (state, recipe) =>
  create(state, (draft) => recipe(draft as unknown as PeerDraft), { enableAutoFreeze: true });

function peer(effort: Effort, name: string, sharded: boolean, step: Step): Contestant {
  const { initial, shardOf } = layout(sharded);
  const count = shardOf.size;
  return {
    name: `${name}, ${sharded ? `${count} registers by ${SHARD}` : `${count} registers flat`}`,
    prepare: () => {
      const events = amount(effort, 20_000);
      return () => {
        let state = initial;
        for (let index = 0; index < events; index++) {
          const event = eventOf(index);
          state = step(state, (draft) => reduce({ initial, shardOf }, draft, event));
        }
        if (state.position !== events) throw new RangeError('events were lost');
        return events;
      };
    },
  };
}

/** Immer as it is recommended (frozen), mutative frozen as Immer is, and as it comes (not frozen). */
export function peers(effort: Effort): readonly Contestant[] {
  return [
    peer(effort, 'Immer', true, immer),
    peer(effort, 'Immer', false, immer),
    peer(effort, 'mutative frozen', true, mutativeFrozen),
    peer(effort, 'mutative frozen', false, mutativeFrozen),
    peer(effort, 'mutative not frozen', true, mutative),
  ];
}
