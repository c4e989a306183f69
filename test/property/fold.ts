// The law spelled out: events applied one by one, by the pure function alone.
import { apply, initialState, type Machine, type MachineEvent, type MachineState, positionsOf } from '@retrovisor/core';

/** What a machine's log holds. */
export const eventsOf = (machine: Machine): readonly MachineEvent[] => machine.log.entries().map(({ event }) => event);

/** The state after events, from the machine's initial one. */
export function fold({ definition }: Machine, events: readonly MachineEvent[]): MachineState {
  return events.reduce((state, event) => apply(definition, state, event).state, initialState(definition));
}

/** Each run of steps as so many runs of one step. */
export function singleSteps(events: readonly MachineEvent[]): readonly MachineEvent[] {
  return events.flatMap((event) =>
    event.type === 'processor/stepsRetired'
      ? Array.from({ length: positionsOf(event) }, () => ({ ...event, steps: 1 }) as MachineEvent)
      : [event],
  );
}

/** The state at every position, 0 included. */
export function everyState(machine: Machine): readonly MachineState[] {
  const states = [initialState(machine.definition)];
  for (const event of singleSteps(eventsOf(machine))) {
    states.push(apply(machine.definition, states.at(-1) as MachineState, event).state);
  }
  return states;
}
