// When something next happens by itself. The deadlines of devices are asked for once and kept until the device's slice
// changes, so that a run between two deadlines looks at no device.
import type { DeviceTimer, Plugin, ProcessorTimer } from '../plugin/define.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import { expireLocalTimer, localTimerDeadline } from './local-apic-timer.js';
import { machineTime } from './virtual-time.js';

interface Clocked {
  readonly plugin: string;
  readonly timer: DeviceTimer;
  /** As it was last given; Infinity: never. */
  deadline: number;
  isKnown: boolean;
}

const clocked = ({ name, timer }: Plugin): readonly Clocked[] =>
  timer === undefined ? [] : [{ plugin: name, timer, deadline: Number.POSITIVE_INFINITY, isKnown: false }];

/** The timers of one draft: those of devices, and of the local APICs. */
export class Timers {
  readonly #draft: MachineDraft;
  readonly #devices: readonly Clocked[];
  readonly #processors: readonly ProcessorTimer[];

  constructor(draft: MachineDraft) {
    this.#draft = draft;
    this.#devices = draft.definition.plugins.flatMap(clocked);
    this.#processors = draft.definition.plugins.flatMap(({ processorTimer }) => processorTimer ?? []);
  }

  /** Another state was loaded. */
  forget(): void {
    for (const device of this.#devices) device.isKnown = false;
  }

  /** A machine slice changed. Whether a deadline depends on it. */
  sliceChanged(plugin: string): boolean {
    const device = this.#devices.find((each) => each.plugin === plugin);
    if (device === undefined) return false;
    device.isKnown = false;
    return true;
  }

  /**
   * The least time at which something happens by itself while a processor runs, on its clock; Infinity: never. The timers
   * of processors that wait are looked after by the one that runs; those that are active look after their own.
   */
  deadlineFor(cpu: Cpu): number {
    let least = localTimerDeadline(cpu);
    for (const { deadline } of this.#processors) least = Math.min(least, deadline(cpu));
    for (const device of this.#devices) least = Math.min(least, this.#deadlineOf(device));
    for (const other of this.#waiting(cpu)) least = Math.min(least, localTimerDeadline(other));
    return least;
  }

  /** Whatever is due at a time of a processor's clock happens. */
  expire(cpu: Cpu, time: number): void {
    for (const device of this.#devices) {
      if (this.#deadlineOf(device) > time) continue;
      device.isKnown = false;
      device.timer.expire(this.#draft, Math.max(time, machineTime(this.#draft)));
    }
    for (const { deadline, expire } of this.#processors) if (deadline(cpu) <= time) expire(cpu, time);
    for (const each of [cpu, ...this.#waiting(cpu)]) if (localTimerDeadline(each) <= time) expireLocalTimer(each, time);
  }

  #deadlineOf(device: Clocked): number {
    if (!device.isKnown) {
      device.deadline = device.timer.deadline(this.#draft) ?? Number.POSITIVE_INFINITY;
      device.isKnown = true;
    }
    return device.deadline;
  }

  *#waiting(cpu: Cpu): IterableIterator<Cpu> {
    for (let id = 0; id < this.#draft.processorCount; id++) {
      const other = this.#draft.cpu(id);
      if (other !== cpu && other.activity !== 'active') yield other;
    }
  }
}
