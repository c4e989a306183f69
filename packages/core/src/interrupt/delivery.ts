// From a raised exception to its handler, to a double fault, to shutdown (SDM, "Interrupt 8—Double Fault Exception (#DF)").
import { restartThroughFirmware } from '../boot/firmware-restart.js';
import type { Faulted, Outcome } from '../event/outcome.js';
import { fault } from '../event/outcome.js';
import type { Cpu } from '../state/cpu.js';
import { enterDebugHandler } from './debug-status.js';
import { EXCEPTIONS, GuestFault } from './exceptions.js';
import type { Delivery } from './gate.js';
import { keepingRegisters } from './keep-registers.js';
import { deliverThroughLongModeGate } from './long-mode-gate.js';
import { deliverThroughProtectedModeGate } from './protected-mode-gate.js';
import { deliverThroughVectorTable } from './real-mode-vector.js';

/** A fault is raised at the boundary before its instruction, a trap after it. */
export type ExceptionKind = 'fault' | 'trap';

/** Delivers an external interrupt or NMI at a boundary; returns what became of it if it could not be delivered. */
export function deliverEvent(cpu: Cpu, vector: number): Outcome | undefined {
  try {
    keepingRegisters(cpu, () => deliver(cpu, { vector, errorCode: undefined, software: false, fault: false }));
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof GuestFault)) throw thrown;
    return deliverException(cpu, thrown.raised); // an interrupt is benign: the exception is handled serially
  }
}

/** Delivers an exception raised at the current instruction; RIP and all registers are those of its boundary. */
export function deliverException(cpu: Cpu, raised: Faulted, kind: ExceptionKind = 'fault'): Outcome {
  for (const intercept of cpu.definition.intercepts.exception) {
    const taken = intercept(cpu, raised);
    if (taken !== undefined) return taken;
  }
  const chain: Faulted[] = [];
  for (let current: Faulted | undefined = raised; current !== undefined; ) {
    chain.push(current);
    const next = attempt(cpu, current, kind);
    if (next === undefined) return raised;
    if (current.vector === '#DF') return shutDown(cpu, [...chain, next]);
    current = becomesDoubleFault(current, next)
      ? { ...fault('#DF', { errorCode: 0 }), rule: 'core.double-fault' }
      : next;
    if (current !== next) chain.push(next);
  }
  return raised;
}

/** One delivery; a second exception during it leaves the registers but CR2 as they were before and is returned. */
function attempt(cpu: Cpu, raised: Faulted, kind: ExceptionKind): Faulted | undefined {
  const { vector, class: severity } = EXCEPTIONS[raised.vector];
  const { errorCode } = raised;
  try {
    keepingRegisters(cpu, () => {
      if (raised.address !== undefined) cpu.CR2 = raised.address;
      if (raised.debugStatus !== undefined) enterDebugHandler(cpu, raised.debugStatus);
      const resumes = severity !== 'double-fault' && kind === 'fault';
      deliver(cpu, { vector, errorCode, software: false, fault: resumes });
    });
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof GuestFault)) throw thrown;
    const address = thrown.raised.address ?? raised.address; // a second page fault loads CR2 although #DF hides it
    if (address !== undefined) cpu.CR2 = address;
    return thrown.raised;
  }
}

/** Delivers an exception or a software interrupt in the current mode; raises what the delivery raises. */
export function deliver(cpu: Cpu, delivery: Delivery): void {
  switch (cpu.mode) {
    case '64-bit':
    case 'compatibility':
      deliverThroughLongModeGate(cpu, delivery);
      break;
    case 'real':
      deliverThroughVectorTable(cpu, delivery);
      break;
    case 'protected':
    case 'virtual-8086':
      deliverThroughProtectedModeGate(cpu, delivery);
      break;
  }
}

/** The table of conditions for a double fault. */
function becomesDoubleFault(first: Faulted, second: Faulted): boolean {
  const [one, two] = [EXCEPTIONS[first.vector].class, EXCEPTIONS[second.vector].class];
  if (one === 'contributory') return two === 'contributory';
  return one === 'page-fault' && (two === 'contributory' || two === 'page-fault');
}

/** The processor stops until INIT, NMI or RESET. `chain` is what led there. */
export function shutDown(cpu: Cpu, chain: readonly Faulted[]): Outcome {
  cpu.activity = 'shutdown';
  restartThroughFirmware(cpu.draft); // the chip set answers it with a reset
  const [first] = chain;
  return { kind: 'shutdown', chain, ...(first?.rule === undefined ? {} : { rule: first.rule }) };
}
