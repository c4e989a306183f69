// The NMI button of a board, pressed from outside: an edge at LINT1 of every processor (QEMU's monitor command `nmi`), which
// bit 7 of port 70H masks. A masked edge is lost.
import { defineEvent } from '../event/define.js';
import { definePlugin, type Plugin } from '../plugin/define.js';
import { isNmiMasked } from './rtc.js';

/** Somebody presses the button. */
export const nmiPressed = defineEvent('nmiButton/pressed', {
  payload: {},
  apply(draft) {
    if (!isNmiMasked(draft)) draft.requestNonMaskableInterrupt();
  },
});

/**
 * Lets an event cause an NMI, where LINT1 of the local APIC has its usual delivery mode.
 * @example createMachine({ profile: 'intel-server', plugins: [nmiButton] });
 */
export const nmiButton: Plugin = definePlugin({
  name: 'nmi-button',
  version: '1.0.0',
  apiVersion: 1,
  events: [nmiPressed],
});
