// Checks on the activity state of the guest (SDM, "Checks on Guest Non-Register State"), in the manual's order.
import { Entry } from '../../controls.js';
import { fieldNamed } from '../../fields.js';
import { hasActivityState } from '../entry-processor.js';
import type { EntryState } from '../entry-state.js';
import { accessRights, dplOf } from '../guest-segments.js';
import { EVENT_TYPE, type InjectedEvent, injectedEvent, injectsEvent } from '../injected-event.js';
import type { EntryCheckRow } from './entry-check.js';

const ACTIVITY = fieldNamed('Guest activity state');
const INTERRUPTIBILITY = fieldNamed('Guest interruptibility state');
const INFORMATION = 'VM-entry interruption-information field';

/** Values of the activity-state field. */
export const ACTIVITY_STATE = { active: 0, HLT: 1, shutdown: 2, 'wait-for-SIPI': 3 } as const;

const DB = 1;
const MC = 18;

const id = (check: string) => `vmx.entry.guest.activity.${check}` as const;
const isIn = (state: EntryState, activity: keyof typeof ACTIVITY_STATE): boolean =>
  state.word(ACTIVITY) === ACTIVITY_STATE[activity];

/** What wakes a processor in HLT. */
function endsHlt({ type, vector }: InjectedEvent): boolean {
  if (type === EVENT_TYPE.externalInterrupt || type === EVENT_TYPE.nmi) return true;
  if (type === EVENT_TYPE.hardwareException) return vector === DB || vector === MC;
  return type === EVENT_TYPE.otherEvent && vector === 0;
}

/** What wakes a processor in shutdown. */
function endsShutdown({ type, vector }: InjectedEvent): boolean {
  return type === EVENT_TYPE.nmi || (type === EVENT_TYPE.hardwareException && vector === MC);
}

const injection = (
  check: string,
  activity: keyof typeof ACTIVITY_STATE,
  claim: (event: InjectedEvent) => boolean,
  explain: string,
  note?: string,
): EntryCheckRow => ({
  id: id(check),
  reads: ['Guest activity state', INFORMATION],
  appliesWhen: (state) => isIn(state, activity) && injectsEvent(state),
  holds: (state) => claim(injectedEvent(state)),
  explain,
  ...(note === undefined ? {} : { note }),
});

export const activityChecks: readonly EntryCheckRow[] = [
  {
    id: id('range'),
    reads: ['Guest activity state'],
    holds: (state) => hasActivityState(state.processor, state.word(ACTIVITY)),
    explain: 'The activity state must be 0, or 1 to 3 if IA32_VMX_MISC[8:6] has it.',
    note: 'Bochs accepts every value to 3, and states of its own above; KVM accepts 0, 1 and 3.',
  },
  {
    id: id('hlt-dpl'),
    reads: ['Guest activity state', 'Guest SS access rights'],
    appliesWhen: (state) => isIn(state, 'HLT'),
    holds: (state) => dplOf(accessRights(state, 'SS')) === 0,
    explain: 'A guest in HLT has CPL 0: DPL of its SS must be 0.',
  },
  {
    id: id('blocking'),
    reads: ['Guest activity state', 'Guest interruptibility state'],
    appliesWhen: (state) => (state.word(INTERRUPTIBILITY) & 3) !== 0,
    holds: (state) => isIn(state, 'active'),
    explain: 'Blocking by STI or by MOV SS lasts one instruction: the activity state must be active.',
  },
  injection(
    'inject-hlt',
    'HLT',
    endsHlt,
    'A guest in HLT takes an external interrupt, an NMI, #DB, #MC or a pending MTF VM exit, and nothing else.',
    'Bochs does not check it.',
  ),
  injection(
    'inject-shutdown',
    'shutdown',
    endsShutdown,
    'A guest in shutdown takes an NMI or #MC, and nothing else.',
    'Bochs takes any event with vector 18.',
  ),
  injection('inject-sipi', 'wait-for-SIPI', () => false, 'A guest that waits for a SIPI takes no event.'),
  {
    id: id('smm-sipi'),
    reads: [Entry['entry to SMM'], 'Guest activity state'],
    appliesWhen: (state) => state.control(Entry['entry to SMM']),
    holds: (state) => !isIn(state, 'wait-for-SIPI'),
    explain: 'An entry to SMM must not make the guest wait for a SIPI.',
  },
];
