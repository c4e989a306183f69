// Hazards: what software does with SVM that is unsafe and that hardware lets pass.
import { apm, defineHazards } from '@retrovisor/core';

/** EFER.SVME cleared while GIF is 0. */
export const SVME_CLEARED_WITH_GIF_CLEAR = 'svm.svme-cleared-with-gif-clear';

/** A field of a VMCB was changed although its clean bit says that it was not. */
export const STALE_CLEAN_FIELD = 'svm.vmrun.clean-field-changed';

export const svmHazards = defineHazards(apm('Global Interrupt Flag, STGI and CLGI Instructions'), [
  {
    id: SVME_CLEARED_WITH_GIF_CLEAR,
    explain:
      'GIF stays 0 and holds back INTR, NMI, SMI and INIT, while STGI may be #UD from now on: execute STGI before clearing EFER.SVME.',
  },
  {
    id: STALE_CLEAN_FIELD,
    explain:
      'A VMCB clean bit says that software left the field as the processor knows it, but it has another value in memory: the ' +
      'processor may use either; here it uses the one that it knows. Clear the clean bit with each change.',
  },
]);
