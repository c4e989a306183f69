// Events of core's own devices: outside inputs that are not the processor's.
import type { EventDefinition } from '../event/define.js';

/** None yet: devices with inputs come with the PC platform. */
export const BASE_EVENTS: readonly EventDefinition[] = [];
