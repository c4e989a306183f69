// VMRUN and #VMEXIT between the checks and the next instruction: what is saved, loaded and left alone, in the APM's order
// ("Basic Operation", "#VMEXIT"). The host save area has the layout of a state-save area here.
import { type Cpu, NotModelled, type Outcome, RFLAGS, slotOf } from '@retrovisor/core';
import {
  CONTROL_RANGES,
  type ExitReport,
  hasInterruptShadow,
  loadControls,
  REFUSAL_RANGES,
  storeControls,
  storeRefusal,
  tlbControlOf,
} from './control-area.js';
import { interruptInfoOf } from './event-injection.js';
import { EXIT_CODES, exitCode } from './exit-codes.js';
import { hasFeature } from './features.js';
import { STALE_CLEAN_FIELD } from './hazards.js';
import { lowWord, numberIn, registerSlot, setGif, setLowWord, setNumber } from './processor-registers.js';
import { loadGuest, loadHost, SAVED_RANGES, saveGuest, saveHost } from './saved-state.js';
import { changedPageWords, pageWords } from './vmcb-page.js';
import { vmcbPlace } from './vmcb-places.js';

const CR0 = slotOf('CR0');
const CR3 = slotOf('CR3');
const CR4 = slotOf('CR4');
const EFER = slotOf('IA32_EFER');
const DR7 = slotOf('DR7');
const GUEST_MODE = slotOf('guestMode');
const INVALID = exitCode('INVALID');
const PAT = 'IA32_PAT';
const G_PAT_WORD = vmcbPlace('G_PAT').offset / 4;
const NP_ENABLE = 1;
const DR7_CLEAR = 0x400;
/** BS of DR6. */
const SINGLE_STEP = 0x4000n;
const PG = 1 << 31;
const PE = 1;
const PAE = 1 << 5;
const LME = 1 << 8;
const LMA = 1 << 10;

/** LMA follows from LME and CR0.PG, whatever was saved. */
function settleLongMode({ words }: Cpu): void {
  const efer = words[EFER * 2] as number;
  const active = (efer & LME) !== 0 && ((words[CR0 * 2] as number) & PG) !== 0;
  words[EFER * 2] = active ? efer | LMA : efer & ~LMA;
}

/** PAE paging without nested paging reads the four PDPTEs with CR3. */
function loadPdptes(cpu: Cpu): void {
  const { words } = cpu;
  const isPae =
    ((words[CR0 * 2] as number) & PG) !== 0 &&
    ((words[CR4 * 2] as number) & PAE) !== 0 &&
    ((words[EFER * 2] as number) & LMA) === 0;
  if (!isPae) return;
  const table = ((words[CR3 * 2] as number) & ~0x1f) >>> 0;
  for (let index = 0; index < 4; index++) cpu.set(`PDPTE${index}`, cpu.memory.read(table + index * 8, 8));
}

/** Whether the guest that runs has nested paging. */
export const hasNestedPaging = (cpu: Cpu): boolean => (lowWord(cpu, 'NP_CONTROL') & NP_ENABLE) !== 0;

const KEPT = [
  { name: 'HOST_CR0', slot: CR0 },
  { name: 'HOST_CR4', slot: CR4 },
  { name: 'HOST_EFER', slot: EFER },
] as const;

/** Registers of the host that a guest runs under. */
function keepHost(cpu: Cpu): void {
  for (const { name, slot } of KEPT)
    cpu.writeWords(registerSlot(cpu, name), cpu.words[slot * 2] as number, cpu.words[slot * 2 + 1] as number);
  setLowWord(cpu, 'HOST_RFLAGS', cpu.EFLAGS);
}

/** With nested paging the guest has a PAT of its own. */
function exchangePat(cpu: Cpu, area: Int32Array): void {
  const host = registerSlot(cpu, 'HOST_PAT');
  cpu.writeSlot(host, cpu.read(PAT));
  const [low, high] = [area[G_PAT_WORD] as number, area[G_PAT_WORD + 1] as number];
  cpu.set(PAT, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}

const EXIT_RANGES = [...SAVED_RANGES, ...CONTROL_RANGES, [0x668, 8]] as const;

/** What a VMCB may enable and is not modelled: a guest that believes in it would go wrong later. */
const GAPS = [
  { field: 'Virtual interrupt control', bits: 0xc000_0000, name: 'AVIC' },
  { field: 'Nested paging and encryption control', bits: 0x6, name: 'encrypted guests (SEV)' },
  { field: 'Virtualization extensions', bits: 0x1, name: 'LBR virtualization' },
  { field: 'Virtualization extensions', bits: 0x2, name: 'virtual VMLOAD and VMSAVE' },
].map(({ field, ...gap }) => ({ ...gap, word: vmcbPlace(field).offset / 4 }));

function refuseGaps(area: Int32Array): void {
  for (const { word, bits, name } of GAPS)
    if (((area[word] as number) & bits) !== 0) throw new NotModelled(`${name} of a guest of SVM`);
}

/** TLB_CONTROL may flush more than it is asked for. A model of the TLB tells worlds apart by ASID; what core holds of it does not. */
function forgetTranslations(cpu: Cpu, flush: boolean): void {
  if (flush) cpu.draft.flushTlb();
  else if (cpu.definition.translations !== undefined) cpu.draft.tlb.flush();
}

/** VMRUN after its checks. RIP is that of the instruction after it, which #VMEXIT returns to. */
export function enterGuest(cpu: Cpu, vmcb: number): Outcome {
  refuseGaps(pageWords(cpu, vmcb));
  saveHost(cpu, changedPageWords(cpu, Number(cpu.read('VM_HSAVE_PA')), SAVED_RANGES));
  keepHost(cpu);
  const area = pageWords(cpu, vmcb);
  const heedsClean = hasFeature(cpu.profile, 'VmcbClean') && numberIn(cpu, 'LOADED_VMCB') === vmcb;
  loadControls(cpu, area, heedsClean, (field) =>
    cpu.hazard(STALE_CLEAN_FIELD, { vmcb: BigInt(vmcb), field: `vmcb:${field}@0x${vmcb.toString(16)}` }),
  );
  setNumber(cpu, 'LOADED_VMCB', vmcb);
  setNumber(cpu, 'VMCB', vmcb);
  setLowWord(cpu, 'PAUSE_COUNT', lowWord(cpu, 'PAUSE_FILTER') >>> 16);
  const isNested = hasNestedPaging(cpu);
  if (isNested) exchangePat(cpu, area);
  cpu.draft.loadRegisters(cpu, () => {
    loadGuest(cpu, area);
    settleLongMode(cpu);
    cpu.writeWords(GUEST_MODE, 1, 0);
    cpu.interruptShadow = hasInterruptShadow(area) ? 'sti' : 'none';
    if (!isNested) loadPdptes(cpu);
  });
  forgetTranslations(cpu, tlbControlOf(area) !== 0);
  setGif(cpu, true);
  cpu.draft.runner.singleStepping.trapFlag = 'never';
  return { kind: 'svm/vmrun', vmcb: BigInt(vmcb) };
}

/** The guest's state goes to the VMCB, the host's comes back. `report` tells why. */
export function exitGuest(cpu: Cpu, report: ExitReport): Outcome {
  const vmcb = numberIn(cpu, 'VMCB');
  const area = changedPageWords(cpu, vmcb, EXIT_RANGES);
  const interruptInfo = report.interruptInfo ?? interruptInfoOf(cpu.draft.delivering);
  cpu.draft.delivering = undefined;
  saveGuest(cpu, area);
  storeControls(cpu, area, interruptInfo === undefined ? report : { ...report, interruptInfo });
  cpu.writeWords(registerSlot(cpu, 'EVENTINJ'), 0, 0);
  if (hasNestedPaging(cpu)) {
    const pat = cpu.read(PAT);
    area[G_PAT_WORD] = Number(BigInt.asIntN(32, pat));
    area[G_PAT_WORD + 1] = Number(BigInt.asIntN(32, pat >> 32n));
    cpu.set(PAT, cpu.readSlot(registerSlot(cpu, 'HOST_PAT')));
  }
  setGif(cpu, false);
  returnToHost(cpu);
  return exited(report);
}

/** What the outcome of a step says of a #VMEXIT. */
function exited({ code, info1 = 0n, info2 = 0n }: ExitReport): Outcome & { readonly kind: 'svm/vmexit' } {
  return {
    kind: 'svm/vmexit',
    exitCode: code,
    name: `VMEXIT_${EXIT_CODES.get(code) ?? code.toString(16)}`,
    exitInfo1: info1,
    exitInfo2: info2,
  };
}

/** A VMRUN that the consistency checks refuse: #VMEXIT before anything of the guest was loaded. */
export function refuseGuest(cpu: Cpu, vmcb: number): Outcome {
  const report = { code: INVALID };
  const area = changedPageWords(cpu, vmcb, REFUSAL_RANGES);
  storeRefusal(area, report);
  setNumber(cpu, 'VMCB', vmcb);
  setGif(cpu, false);
  return exited(report);
}

function returnToHost(cpu: Cpu): void {
  const host = pageWords(cpu, Number(cpu.read('VM_HSAVE_PA')));
  cpu.draft.loadRegisters(cpu, () => {
    loadHost(cpu, host);
    cpu.words[CR0 * 2] = (cpu.words[CR0 * 2] as number) | PE;
    settleLongMode(cpu);
    cpu.writeWords(DR7, DR7_CLEAR, 0);
    cpu.writeWords(GUEST_MODE, 0, 0);
    cpu.interruptShadow = 'none';
    // A host that steps through VMRUN takes its trap after #VMEXIT.
    const traps = (lowWord(cpu, 'HOST_RFLAGS') & (1 << RFLAGS.bits.TF)) !== 0;
    cpu.set('pendingDebug', traps ? SINGLE_STEP : 0n);
    cpu.activity = 'active';
    loadPdptes(cpu);
  });
  cpu.draft.runner.attend();
  forgetTranslations(cpu, false);
  cpu.EFLAGS &= ~(1 << RFLAGS.bits.RF);
}
