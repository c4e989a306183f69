// Guest mode: a processor executes software of a guest, and a plugin decides what that means (VMX non-root operation, a guest
// of SVM). Core keeps whether a processor is in it (`guestMode`) and asks once, at entry, what the guest wants; a part that is
// absent costs nothing.
import type { AccessKind, PageTranslation, PagingEntry } from '../memory/paging.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';

/** Why a guest-physical address is translated. */
export interface SecondLevelAccess {
  readonly kind: AccessKind;
  /** The operand or the instruction itself; an entry of the guest's paging structures; PDPTEs that a control register loads. */
  readonly purpose: 'final' | 'page walk' | 'PDPTE load';
  /** The linear address in halves, signed 32 bits, that is being translated; undefined for loads of PDPTEs. */
  readonly linear: { readonly low: number; readonly high: number } | undefined;
  /** The access is made with user privilege. */
  readonly user: boolean;
  /** For `final`: what the guest's own tables say; undefined where its paging is off. */
  readonly page: PageTranslation | undefined;
}

/** A translation from guest-physical to physical addresses. */
export interface SecondLevel {
  /** The physical address; calls `takeOver` if the access is refused. */
  readonly translate: (cpu: Cpu, guestPhysical: number, access: SecondLevelAccess) => number;
  /** The entries that the last address was translated with, from the root down: a model of the TLB asks for them. */
  readonly used?: () => readonly PagingEntry[];
  /** PAE paging of the guest reads a PDPTE at each walk, as AMD processors do, and not from the registers that CR3 loads. */
  readonly readsPdptes?: boolean;
}

/** What a model of the TLB tells translations apart by, beside the process-context identifier. */
export interface TranslationTag {
  /** VPID or ASID; 0 is the host's. */
  readonly space: number;
  /** Physical address of the root of the second level; 0: there is none. */
  readonly tables: number;
}

/** A page that answers instead of RAM while the processor is in guest mode, such as the APIC-access page. */
export interface GuestPage {
  /** Its physical frame number. */
  readonly frame: number;
  readonly read: (cpu: Cpu, address: number, bytes: 1 | 2 | 4) => number;
  readonly write: (cpu: Cpu, address: number, value: number, bytes: 1 | 2 | 4) => void;
}

/** What the guest of a processor wants. */
export interface Guest {
  readonly secondLevel?: SecondLevel | undefined;
  /** Absent: that of the host, without a second level. */
  readonly tag?: TranslationTag;
  readonly page?: GuestPage | undefined;
  /** Instructions run one by one, and the `stepped` intercept hears of each. */
  readonly stepwise?: boolean;
}

/** How a plugin tells of its guests. */
export interface GuestMode {
  /** Asked when a processor in guest mode gets its turn, enters, or says `guestChanged`: a function of its registers alone. */
  readonly guestOf: (cpu: Cpu) => Guest;
}

const GUEST_MODE = slotOf('guestMode') * 2;

/** Whether a processor executes software of a guest. */
export const isInGuestMode = ({ words }: Cpu): boolean => (words[GUEST_MODE] as number) !== 0;

/** What the guest of a processor wants; undefined outside guest mode. */
export const guestOf = (cpu: Cpu): Guest | undefined =>
  isInGuestMode(cpu) ? cpu.definition.guestMode?.guestOf(cpu) : undefined;
