/** A number in a sentence, with a minus sign in place of a hyphen. */
export const signed = (text: string): string => text.replace('-', '−')

/** '−0.35' */
export const decimal = (value: number, digits = 2): string => signed(value.toFixed(digits))

/** A share as people read it: '23 %', '−16 %'. */
export const sayPercent = (share: number): string => signed(`${Math.round(100 * share)} %`)
