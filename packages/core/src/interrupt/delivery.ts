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

/**
 * Delivers an external interrupt, an NMI or an event that a plugin injects, at a boundary; returns what became of it if it
 * could not be delivered. An injected exception is not shown to plugins, those that its delivery raises are.
 */
export function deliverEvent(cpu: Cpu, delivery: Delivery): Outcome | undefined {
  try {
    keepingRegisters(cpu, () => {
      if (delivery.returnAddress !== undefined) cpu.RIP = delivery.returnAddress;
      deliver(cpu, delivery);
    });
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof GuestFault)) throw thrown;
    return handleSerially(cpu, thrown.raised, exceptionOf(delivery), [], 'fault');
  }
}

/** An exception by its vector; anything else is benign, whatever its vector. */
function exceptionOf({ type, vector }: Delivery): Faulted | undefined {
  if (type !== 'hardware exception') return undefined;
  const row = Object.entries(EXCEPTIONS).find((entry) => entry[1].vector === vector);
  return row && fault(row[0] as Faulted['vector']);
}

/** Delivers an exception raised at the current instruction; RIP and all registers are those of its boundary. */
export function deliverException(cpu: Cpu, raised: Faulted, kind: ExceptionKind = 'fault'): Outcome {
  return handleSerially(cpu, raised, undefined, [], kind) ?? raised;
}

/** Plugins are asked of each exception; `cpu.draft.delivering` tells them what was being delivered when it was raised. */
export function interceptException(cpu: Cpu, raised: Faulted): Outcome | undefined {
  for (const intercept of cpu.definition.intercepts.exception) {
    const taken = intercept(cpu, raised);
    if (taken !== undefined) return taken;
  }
  cpu.draft.delivering = undefined;
  return undefined;
}

/** One exception after the other until one is delivered. `first` was being delivered when the next one was raised. */
function handleSerially(
  cpu: Cpu,
  raised: Faulted,
  first: Faulted | undefined,
  before: readonly Faulted[],
  kind: ExceptionKind,
): Outcome | undefined {
  const chain = [...before];
  let [earlier, current] = [first, raised];
  for (;;) {
    chain.push(current);
    if (earlier?.vector === '#DF') return shutDown(cpu, chain);
    const taken = interceptException(cpu, current);
    if (taken !== undefined) return taken;
    if (earlier !== undefined && becomesDoubleFault(earlier, current)) {
      if (current.address !== undefined) cpu.CR2 = current.address; // although #DF hides it
      earlier = undefined;
      current = { ...fault('#DF', { errorCode: 0 }), rule: 'core.double-fault' };
      continue;
    }
    const next = attempt(cpu, current, kind);
    if (next === undefined) return raised;
    [earlier, current] = [current, next];
  }
}

/** One delivery; an exception during it, or a plugin that takes over, leaves the registers but CR2 as they were before. */
function attempt(cpu: Cpu, raised: Faulted, kind: ExceptionKind): Faulted | undefined {
  const { vector, class: severity } = EXCEPTIONS[raised.vector];
  const { errorCode } = raised;
  try {
    const entersDebugHandler = raised.debugStatus !== undefined; // which changes an MSR
    const enter = () => {
      if (raised.address !== undefined) cpu.CR2 = raised.address;
      if (raised.debugStatus !== undefined) enterDebugHandler(cpu, raised.debugStatus);
      const resumes = severity !== 'double-fault' && kind === 'fault';
      deliver(cpu, { type: 'hardware exception', vector, errorCode, fault: resumes });
    };
    keepingRegisters(cpu, enter, entersDebugHandler);
    return undefined;
  } catch (thrown) {
    if (raised.address !== undefined) cpu.CR2 = raised.address;
    if (!(thrown instanceof GuestFault)) throw thrown;
    return thrown.raised;
  }
}

/** Delivers an exception or a software interrupt in the current mode; raises what the delivery raises. */
export function deliver(cpu: Cpu, delivery: Delivery): void {
  cpu.draft.delivering = delivery;
  deliverInMode(cpu, delivery);
  cpu.draft.delivering = undefined;
}

function deliverInMode(cpu: Cpu, delivery: Delivery): void {
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
  for (const intercept of cpu.definition.intercepts.shutdown) {
    const taken = intercept(cpu, chain);
    if (taken !== undefined) return taken;
  }
  cpu.draft.delivering = undefined;
  cpu.activity = 'shutdown';
  restartThroughFirmware(cpu.draft); // the chip set answers it with a reset
  const [first] = chain;
  return { kind: 'shutdown', chain, ...(first?.rule === undefined ? {} : { rule: first.rule }) };
}
