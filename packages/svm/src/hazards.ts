// Hazards: what software does with SVM that is unsafe and that hardware lets pass.
import { apm, defineHazards } from '@retrovisor/core';

/** EFER.SVME cleared while GIF is 0. */
export const SVME_CLEARED_WITH_GIF_CLEAR = 'svm.svme-cleared-with-gif-clear';

export const svmHazards = defineHazards(apm('Global Interrupt Flag, STGI and CLGI Instructions'), [
  {
    id: SVME_CLEARED_WITH_GIF_CLEAR,
    explain:
      'GIF stays 0 and holds back INTR, NMI, SMI and INIT, while STGI may be #UD from now on: execute STGI before clearing EFER.SVME.',
  },
]);
