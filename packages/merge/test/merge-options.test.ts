import { resolveOptions } from '@dfl/core'
import { describe, expect, it } from 'vitest'
import { mergeOptions, mergeStages } from '../src/index.js'

describe('mergeOptions', () => {
  it('has the defaults of the field', () => {
    expect(resolveOptions(mergeOptions)).toMatchObject({ mask: 'learned-prd*learned-dst', colorTransfer: 'rct' })
  })

  it('names every wrong value at once', () => {
    expect(() => mergeStages({ blur: -3, mask: 'mode 4' as never, smoothSeconds: 99 })).toThrow(
      [
        'Expected a number between 0 and 200 px of a 256 px face for `blur`, but got -3.',
        "Expected one of learned-prd*learned-dst, learned-prd+learned-dst, learned-prd, learned-dst, XSeg-prd, XSeg-dst, XSeg-prd*XSeg-dst, learned-prd*learned-dst*XSeg-prd*XSeg-dst, dst, full for `mask`, but got 'mode 4'.",
        'Expected a number between 0 and 10 s for `smoothSeconds`, but got 99.',
      ].join('\n'),
    )
  })
})
