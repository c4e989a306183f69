// One attempt to enter: which checks have to be made. A check that depends on fields of the VMCS alone, and on none that changed
// since it last passed, passes again: most entries resume a guest of which little changed. What is remembered is no state of
// the machine, for the outcome is the same without it.
import type { Cpu } from '@retrovisor/core';
import { fieldOffset } from '../vmcs-region.js';
import { vmxProcessor } from '../vmx-operation.js';
import type { EntryCheck } from './checks/entry-check.js';
import { ENTRY_CHECKS } from './checks/entry-checks.js';
import { currentEntryState } from './current-vmcs.js';
import type { EntryState } from './entry-state.js';

/** Every check in the order in which they are made. */
const ALL_ENTRY_CHECKS = [...ENTRY_CHECKS.controls, ...ENTRY_CHECKS.hostState, ...ENTRY_CHECKS.guestState];

const FRAME_WORDS = 1024;

/** By doubleword of a region: the checks that read it. */
const CHECKS_OF_WORD: readonly (readonly number[])[] = checksOfWords();
/** Doublewords up to the last that a check reads. */
const COMPARED = CHECKS_OF_WORD.findLastIndex((checks) => checks.length > 0) + 1;

function checksOfWords(): readonly (readonly number[])[] {
  const words = Array.from({ length: FRAME_WORDS }, (): number[] => []);
  for (const [index, { vmcsFields }] of ALL_ENTRY_CHECKS.entries())
    for (const field of vmcsFields)
      for (let byte = fieldOffset(field); byte < fieldOffset(field) + field.bytes; byte += 2)
        if (words[byte >> 2]?.at(-1) !== index) words[byte >> 2]?.push(index);
  return words;
}

/** The VMCS that a processor last entered with, as it was then. */
interface Entered {
  region: bigint;
  readonly words: Int32Array;
}

const lastEntries = new WeakMap<Cpu, Entered>();

/** A processor that tries to enter. */
export class EntryAttempt {
  readonly #state: EntryState;
  readonly #cpu: Cpu;
  /** 1: the check has to be made; undefined: all have to be. */
  readonly #due: Uint8Array | undefined;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#state = currentEntryState(cpu);
    this.#due = this.#checksDue();
  }

  /** The first check, in the order in which they are made, that does not hold. */
  violated(): EntryCheck | undefined {
    for (let index = 0; index < ALL_ENTRY_CHECKS.length; index++) {
      if (this.#due !== undefined && this.#due[index] === 0) continue;
      const check = ALL_ENTRY_CHECKS[index] as EntryCheck;
      if (check.appliesWhen(this.#state) && !check.holds(this.#state)) return check;
    }
    return undefined;
  }

  /** All checks passed. */
  passed(): void {
    const region = this.#state.currentVmcs;
    const words = this.#cpu.memory.frameWords(Number(region));
    if (words === undefined) return;
    const last = lastEntries.get(this.#cpu) ?? { region, words: new Int32Array(COMPARED) };
    last.region = region;
    last.words.set(words.subarray(0, COMPARED));
    lastEntries.set(this.#cpu, last);
  }

  #checksDue(): Uint8Array | undefined {
    const last = lastEntries.get(this.#cpu);
    const region = vmxProcessor.of(this.#cpu).currentVmcs;
    if (last === undefined || last.region !== region) return undefined;
    const words = this.#cpu.memory.frameWords(Number(region));
    if (words === undefined) return undefined;
    const due = ALWAYS_DUE.slice();
    for (let word = 0; word < COMPARED; word++)
      if (words[word] !== last.words[word]) for (const check of CHECKS_OF_WORD[word] ?? []) due[check] = 1;
    return due;
  }
}

const ALWAYS_DUE = Uint8Array.from(ALL_ENTRY_CHECKS, ({ onlyReadsVmcs }) => (onlyReadsVmcs ? 0 : 1));
