// SDM, "MMX Instructions", with those that SSE, SSE2 and SSSE3 add for MMX registers.
import { MMX_CONVERSION } from './conversion.js';
import { MMX_DATA_MOVEMENT } from './data-movement.js';
import { MMX_PACKED_INTEGER } from './packed-integer.js';

export const MMX_INSTRUCTIONS = [...MMX_DATA_MOVEMENT, ...MMX_PACKED_INTEGER, ...MMX_CONVERSION];
