// Why a timer or a listener that belongs to a request ends with it. No code looks at the reason.

/** A reason that `abort` makes itself has a stack, and costs more than what it ends. */
export const OVER = new Error('what it belongs to is over');
