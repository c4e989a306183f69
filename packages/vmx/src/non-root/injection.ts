// SDM, "Event Injection": an entry delivers an event as if it had happened in the guest, through the guest's IDT. A step of its
// own, so that `why` and `who` find it.
import { type BoundaryEvent, type Cpu, deliverEvent, type EventName } from '@retrovisor/core';
import { PinBased } from '../controls.js';
import { guestWord, isOn, setGuestValue } from './controls-in-use.js';
import { eventTypeOf, HAS_ERROR_CODE, isOfInstruction } from './event-types.js';

export const INJECTION: BoundaryEvent & { readonly before: EventName } = {
  event: 'event injection',
  before: 'machine check',
  isThere: (cpu) => guestWord(cpu, 'injection') !== 0,
  isHeld: () => false,
  take: inject,
};

function inject(cpu: Cpu) {
  const information = guestWord(cpu, 'injection');
  const type = eventTypeOf(information) ?? 'hardware exception';
  const vector = information & 0xff;
  const errorCode = (information & HAS_ERROR_CODE) === 0 ? undefined : guestWord(cpu, 'injectionErrorCode');
  if (type === 'NMI') blockNmis(cpu);
  const here = cpu.RIP;
  if (isOfInstruction(type)) cpu.RIP = here + BigInt(guestWord(cpu, 'injectionLength'));
  try {
    // The image of RFLAGS that is pushed has the RF of the guest-state area: nothing sets it here.
    const outcome = deliverEvent(cpu, { type, vector, errorCode, fault: false });
    setGuestValue(cpu, 'injection', 0);
    return outcome ?? ({ kind: 'vmx/event-injection', type, vector } as const);
  } catch (thrown) {
    cpu.RIP = here;
    throw thrown;
  }
}

/** An injected NMI blocks those that follow, as a delivered one does. */
function blockNmis(cpu: Cpu): void {
  if (isOn(cpu, PinBased['virtual NMIs'])) setGuestValue(cpu, 'virtualNmiBlocking', 1);
  else cpu.set('nmiBlocked', 1n);
}
