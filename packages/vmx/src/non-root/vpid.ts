// Virtual-processor identifiers: whose translations the processor may keep (SDM, "Operations that Invalidate Cached Mappings").
import type { Cpu } from '@retrovisor/core';
import { Secondary } from '../controls.js';
import { isOn } from './controls-in-use.js';

/** VM entries and VM exits invalidate the mappings of VPID 0 unless "enable VPID" is 1: a guest without has that of the host. */
export function invalidateWithoutVpid(cpu: Cpu): void {
  if (!isOn(cpu, Secondary['enable VPID'])) cpu.draft.flushTlb({ space: 0, globals: true });
}
