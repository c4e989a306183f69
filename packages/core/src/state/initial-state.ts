// The state at position 0: RESET, then what the boot image says.
import { bootInto } from '../boot/boot-state.js';
import type { MachineDefinition } from '../plugin/host.js';
import { lookUpCpuid } from '../profile/cpuid-lookup.js';
import { ACTIVITY } from '../register/register-file.js';
import { MachineDraft } from './draft.js';
import { FrameMap } from './frame-map.js';
import { freezeDeeply } from './freeze.js';
import type { MachineState } from './machine.js';
import { PhysicalMemory } from './memory.js';
import { firstProcessorState, setRegisterValue, setSlotValue } from './seal-processor.js';
import { withWorkbench } from './workbench-pool.js';

const initialStates = new WeakMap<MachineDefinition, MachineState>();

/** The machine before its first event. Computed once for a definition. */
export function initialState(definition: MachineDefinition): MachineState {
  let state = initialStates.get(definition);
  if (state === undefined) {
    state = afterReset(definition);
    const { boot } = definition;
    if (boot !== undefined) state = booted(definition, state, boot);
    initialStates.set(definition, state);
  }
  return state;
}

function booted(
  definition: MachineDefinition,
  reset: MachineState,
  boot: NonNullable<MachineDefinition['boot']>,
): MachineState {
  return withWorkbench((bench) => {
    const draft = new MachineDraft(definition, bench, reset);
    bootInto(draft, boot);
    return draft.seal();
  });
}

function afterReset(definition: MachineDefinition): MachineState {
  const slices = (kind: 'machineSlice' | 'processorSlice') =>
    Object.freeze(
      Object.fromEntries(
        definition.plugins.flatMap((plugin) =>
          plugin[kind] ? [[plugin.name, freezeDeeply(plugin[kind].initial(definition))]] : [],
        ),
      ),
    );
  const processors = Array.from({ length: definition.processors }, (_, id) =>
    firstProcessorState(definition.registers, resetWords(definition, id), id, slices('processorSlice')),
  );
  return Object.freeze({
    position: 0,
    processors: Object.freeze(processors),
    memory: new PhysicalMemory(FrameMap.EMPTY, definition.ranges),
    turn: Object.freeze({
      processor: definition.processors - 1,
      used: 0,
      ...(definition.schedule === undefined ? {} : { number: 0 }),
    }),
    plugins: slices('machineSlice'),
  });
}

/** SDM, "Processor State After Reset": EDX holds the signature; all processors but the first wait for a startup IPI. */
function resetWords({ registers, profile }: MachineDefinition, id: number): Int32Array {
  const words = new Int32Array(registers.slotCount * 2);
  for (const register of registers.rows) setRegisterValue(words, register, register.reset);
  setSlotValue(words, registers.slot('RDX'), BigInt(lookUpCpuid(profile, 1, 0).eax));
  setSlotValue(words, registers.slot('APIC_ID'), BigInt.asUintN(32, BigInt(id) << 24n));
  if (id > 0) setSlotValue(words, registers.slot('activity'), BigInt(ACTIVITY.indexOf('wait-for-SIPI')));
  return words;
}
