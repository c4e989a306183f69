// The second level of translation of a guest: EPT with the EPTP, the log and the information area of the VMCS that it runs
// under. One object serves as long as none of them changes, so that translations made before stay good.
import { type Cpu, type PluginOutcome, type SecondLevel, type TranslationTag, takeOver } from '@retrovisor/core';
import { Secondary } from '../controls.js';
import { vmExit } from '../exit/leave-guest.js';
import { fieldNamed } from '../fields.js';
import { guestValue, guestWord, isOn, slotOfGuest } from '../non-root/controls-in-use.js';
import { unblockNmis } from '../non-root/nmi-unblocking.js';
import { Vmcs } from '../vmcs.js';
import type { PageModificationLog } from './accessed-dirty.js';
import { eptContext, rootOf } from './context.js';
import { type EptExit, type EptGuest, translateThroughEpt, usedEntries } from './translation.js';

/** Registers of the guest that the second level follows from. */
const FOLLOWED = ['primary', 'secondary', 'eptPointer', 'eptpIndex', 'pmlAddress', 'veInformation'] as const;

/** Bit 12 of the exit qualification: NMI unblocking due to IRET. */
const NMI_UNBLOCKING = 1n << 12n;

/** The second level of a processor with the registers that it was made from. */
class Known {
  readonly secondLevel: SecondLevel;
  readonly #places: readonly number[];
  readonly #values: readonly number[];

  constructor(cpu: Cpu) {
    const guest = eptGuestOf(cpu);
    this.secondLevel = {
      translate: (_cpu, guestPhysical, access) => translateThroughEpt(cpu, guest, guestPhysical, access),
      used: usedEntries,
    };
    this.#places = FOLLOWED.flatMap((register) => [slotOfGuest(cpu, register) * 2, slotOfGuest(cpu, register) * 2 + 1]);
    this.#values = this.#places.map((place) => cpu.words[place] as number);
  }

  isStillOf(cpu: Cpu): boolean {
    for (let index = 0; index < this.#places.length; index++)
      if (cpu.words[this.#places[index] as number] !== this.#values[index]) return false;
    return true;
  }
}

const known = new WeakMap<Cpu, Known>();

/** What makes physical addresses of the guest-physical ones of a processor; undefined without EPT. */
export function secondLevelOf(cpu: Cpu): SecondLevel | undefined {
  if (!isOn(cpu, Secondary['enable EPT'])) return undefined;
  let last = known.get(cpu);
  if (last === undefined || !last.isStillOf(cpu)) {
    last = new Known(cpu);
    known.set(cpu, last);
  }
  return last.secondLevel;
}

/** SDM, "Information That May Be Cached": mappings carry the VPID, and with EPT bits 51:12 of the EPTP. */
export function translationTagOf(cpu: Cpu): TranslationTag {
  return {
    space: isOn(cpu, Secondary['enable VPID']) ? guestWord(cpu, 'vpid') : 0,
    tables: isOn(cpu, Secondary['enable EPT']) ? rootOf(guestValue(cpu, 'eptPointer')) : 0,
  };
}

function eptGuestOf(cpu: Cpu): EptGuest {
  const controls = {
    modeBasedExecuteControl: isOn(cpu, Secondary['mode-based execute control for EPT']),
    subPageWritePermissions: isOn(cpu, Secondary['sub-page write permissions for EPT']),
  };
  return {
    context: eptContext(cpu.profile, guestValue(cpu, 'eptPointer'), controls),
    log: isOn(cpu, Secondary['enable PML']) ? logOf(cpu) : undefined,
    virtualizationExceptions: isOn(cpu, Secondary['EPT-violation #VE'])
      ? { information: Number(guestValue(cpu, 'veInformation')), eptpIndex: guestWord(cpu, 'eptpIndex') }
      : undefined,
    leave: (exit) => takeOver((boundary) => leave(boundary, exit)),
  };
}

const INDEX = fieldNamed('PML index');

/** The index is kept in the VMCS alone: an instruction that faults after its page walk was logged takes no entry back. */
function logOf(cpu: Cpu): PageModificationLog {
  const address = Number(guestValue(cpu, 'pmlAddress'));
  return {
    index: () => Vmcs.currentOf(cpu).word(INDEX),
    append: (page) => {
      const vmcs = Vmcs.currentOf(cpu);
      const index = vmcs.word(INDEX);
      cpu.memory.write(address + index * 8, 8, BigInt(page));
      vmcs.set(INDEX, index - 1);
    },
  };
}

/** EPT misconfigurations have no exit qualification. */
function leave(cpu: Cpu, exit: EptExit): PluginOutcome {
  const qualification =
    exit.reason !== 49 && unblockNmis(cpu) ? exit.qualification | NMI_UNBLOCKING : exit.qualification;
  return vmExit(cpu, { ...exit, qualification });
}
