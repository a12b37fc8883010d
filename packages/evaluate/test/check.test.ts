import { HEAD_68 } from '@dfl/align'
import { gaussianBlur, resize, rgbToGray } from '@dfl/image'
import { describe, expect, it } from 'vitest'
import {
  axisDistance,
  axisValues,
  blurEffect,
  checkFaces,
  checkReport,
  coverage,
  exposureStops,
  eyeWhite,
  type FaceShape,
  faceShape,
  forecast,
  gazeSide,
  qualityOf,
  resemblance,
  SHAPE_POINTS,
  shapeDifference,
  shapesApart,
  shownFaces,
  skinStops,
  withoutLean,
} from '../src/index.js'
import { head, landmarkClip, type Shot, traitsOf } from './heads.js'

/** Values from one to another. */
const steps = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))

const turning = (from: number, to: number, change: Shot = {}): Shot[] =>
  steps(from, to, 9).map((yawDegrees) => ({ ...change, yawDegrees }))

const gapNames = (src: readonly Shot[], dst: readonly Shot[]) =>
  coverage(traitsOf(src), traitsOf(dst)).gaps.map(({ axis, direction }) => `${axis} ${direction}`)

describe('coverage names what was taken away from SRC', () => {
  const all = turning(-36, 36, { person: 1 })

  it('nothing, when SRC shows what DST shows', () => {
    const found = coverage(traitsOf(turning(-36, 36)), traitsOf(all))
    expect(found.gaps.filter(({ axis }) => axis === 'yaw' || axis === 'mouth')).toEqual([])
    expect(found.covered).toBeGreaterThan(coverage(traitsOf(turning(-36, 2)), traitsOf(all)).covered)
  })

  it('the left profile', () => {
    const found = coverage(traitsOf(turning(-36, 2)), traitsOf(all))
    const gap = found.gaps.find(({ axis }) => axis === 'yaw')!
    expect(gap.direction).toBe('above')
    expect(gap.faces.length).toBeGreaterThanOrEqual(3)
    expect(gap.dstRange[0]).toBeGreaterThan(8)
    expect(gap.sentence).toMatch(
      /^DST turns to its left \(\d+° to \d+°\) in \d of 9 faces, .* its range is −\d+° to \d°\.$/,
    )
    expect(gap.shoot).toMatch(/^Shoot or find SRC's head turned to its own left/)
    expect(gap.times[0]!.to).toBeCloseTo(8 / 24, 5)
  })

  it('the open mouth', () => {
    const talking = steps(0, 0.8, 13).map((jawOpen) => ({ person: 1, weights: { jawOpen } }))
    const silent = steps(-5, 5, 13).map((yawDegrees) => ({ yawDegrees }))
    expect(gapNames(silent, talking)).toContain('mouth above')
    expect(gapNames(talking, silent)).not.toContain('mouth above')
  })

  it('the light from the right', () => {
    const lit = (from: number, to: number) => steps(from, to, 9).map((lightRight) => ({ lightRight }))
    expect(gapNames(lit(-1.2, -0.4), lit(0.4, 1.2))).toContain('lightSide above')
    expect(gapNames(lit(0.4, 1.2), lit(-1.2, -0.4))).toContain('lightSide below')
  })

  it('what the study of faces tells: 0.06 of an open mouth, 0.2 of light from the side; and not a little less', () => {
    const [face] = traitsOf([{}])
    const shown = (mouth: number, right: number) =>
      Array.from({ length: 4 }, (_, i) => ({
        ...{ ...face!, filename: `${i}.png`, timestampSeconds: i, mouth },
        light: { ...face!.light, right },
      }))
    const named = (mouth: number, right: number) =>
      coverage(shown(0, 0), shown(mouth, right)).gaps.map(({ axis, direction }) => `${axis} ${direction}`)
    expect(named(0.065, 0)).toEqual(['mouth above'])
    expect(named(0.055, 0)).toEqual([])
    expect(named(0, 0.22)).toEqual(['lightSide above'])
    expect(named(0, -0.22)).toEqual(['lightSide below'])
    expect(named(0, 0.18)).toEqual([])
    const [told] = coverage(shown(0, 0), shown(0, -0.22)).gaps
    expect(told!.sentence).toContain("(−0.22, the slope of the skin's light across the face) in 4 of 4 faces")
  })

  it('by the third-nearest of SRC, so that one face like it may be an accident', () => {
    expect(axisDistance([1, 5, 2, 9], 4)).toBe(3)
    expect(axisDistance([1, 5], 4)).toBe(3)
    const faces = traitsOf([{}, { yawDegrees: 20 }])
    const { yaw, eyes, smile } = axisValues(faces)
    expect(yaw).toEqual(faces.map(({ yawDegrees }) => yawDegrees))
    expect(Math.max(...(eyes as number[]))).toBeCloseTo(1, 1)
    expect(axisValues(faces, [faces[1]!]).smile[0]).toBeCloseTo(faces[0]!.smile - faces[1]!.smile, 10)
    expect(smile[1]).toBeDefined()
  })

  it('and finds for each DST face the SRC faces that do the same', () => {
    const src = traitsOf(turning(-36, 36))
    const { nearest } = coverage(src, traitsOf(all))
    const yawOf = new Map(src.map((face) => [face.filename, face.yawDegrees]))
    const dst = traitsOf(all)
    nearest.forEach(({ src: names }, i) => {
      expect(Math.abs(yawOf.get(names[0]!)! - dst[i]!.yawDegrees)).toBeLessThan(8)
    })
  })
})

describe('face shape', () => {
  const clips = [0, 1, 2, 3, 4, 5].map((person) => landmarkClip(person, 16))

  it('is told without pose and expression: two halves of one clip agree better than two people do', () => {
    const [one, two] = [landmarkClip(1, 36), landmarkClip(4, 36)]
    const same = shapeDifference(one.slice(0, 17), one.slice(17, 34))
    const other = shapeDifference(one, two)
    expect(other.spread).toBeGreaterThan(0)
    expect(same.percent).toBeLessThan(0.6 * other.percent)
    expect(other.spread).toBeLessThan(other.percent)
  })

  it('ranks pairs as their geometry does: the more of another person is mixed in, the larger it is', () => {
    const told = [0.25, 0.5, 1, 1.75].map(
      (share) => shapeDifference(clips[0]!, landmarkClip({ 0: 1 - share, 2: share }, 16, 31)).percent,
    )
    expect(told).toEqual([...told].sort((a, b) => a - b))
    expect(told[3]!).toBeGreaterThan(2 * told[0]!)
  })

  it('says whose jaw is wider', () => {
    // As the procedural head makes its people.
    const byJaw = [0, 1, 2, 3, 4, 5].sort((a, b) => Math.sin(2.1 * b) - Math.sin(2.1 * a))
    const [wide, narrow] = [byJaw[0]!, byJaw[5]!]
    expect(shapeDifference(clips[wide]!, clips[narrow]!).ratios.jawWidth).toBeGreaterThan(1.02)
  })

  it('is freed from the lean towards the usual face: differences of nose and eyes become more, and both sides stay even', () => {
    const usual = HEAD_68.map(([x, y, z]) => [x, y, z] as const)
    const longNose = usual.map(([x, y, z], i) => [x, i > 29 && i < 36 ? y - 0.02 : y, z] as const)
    const narrowEyes = usual.map(([x, y, z], i) => [i === 39 || i === 42 ? 1.08 * x : x, y, z] as const)
    for (const other of [longNose, narrowEyes]) {
      const apart = (of: (points: typeof usual) => FaceShape['points']) =>
        shapesApart({ points: of(other), faces: 1 }, { points: of(usual), faces: 1 })
      expect(apart(withoutLean)).toBeGreaterThan(1.3 * apart((points) => SHAPE_POINTS.map((i) => points[i]!)))
      const points = withoutLean(other)
      for (const [left, right] of [
        [45, 36],
        [16, 0],
        [35, 31],
      ] as const) {
        const [x, y, z] = points[SHAPE_POINTS.indexOf(left)]!
        const [u, v, w] = points[SHAPE_POINTS.indexOf(right)]!
        expect([x, y, z]).toEqual([-u, v, w].map((value) => expect.closeTo(value, 3)))
      }
    }
    const tip = (points: typeof usual) => withoutLean(points)[SHAPE_POINTS.indexOf(30)]![1]
    expect(tip(longNose)).toBeLessThan(tip(usual) - 0.02)
  })

  it('needs some faces', () => {
    expect(() => faceShape(clips[0]!.slice(0, 2))).toThrow(
      'Expected at least 3 faces for `faces`, but got 2. Extract more.',
    )
  })
})

describe('single traits', () => {
  it('blur rises when a face is blurred and stays when it is darkened', () => {
    const gray = rgbToGray(head({}).image)
    const sharp = blurEffect(gray)
    expect(blurEffect(gaussianBlur(gray, 2))).toBeGreaterThan(sharp + 0.1)
    expect(blurEffect({ ...gray, data: gray.data.map((v) => 0.5 * v) })).toBeCloseTo(sharp, 5)
  })

  it('gaze follows dark irises from side to side, and says nothing of shut eyes', () => {
    const eye = (x: number) =>
      Array.from({ length: 6 }, (_, k) => {
        const angle = Math.PI + (2 * Math.PI * k) / 6
        return [x + 16 * Math.cos(angle), 30 + 7 * Math.sin(angle)] as const
      })
    const landmarks = [
      ...Array.from({ length: 36 }, () => [0, 0] as const),
      ...eye(30),
      ...eye(70),
      ...Array.from({ length: 20 }, () => [0, 0] as const),
    ]
    const looking = (to: number) => {
      const data = new Float32Array(100 * 60).fill(0.9)
      for (const x of [30 + to, 70 + to])
        for (let v = -5; v <= 5; v++)
          for (let u = -5; u <= 5; u++) if (u * u + v * v < 25) data[(30 + v) * 100 + Math.round(x) + u] = 0.1
      return gazeSide({ data, width: 100, height: 60, channels: 1 }, landmarks)!
    }
    expect(looking(-6)).toBeLessThan(looking(0) - 0.3)
    expect(looking(6)).toBeGreaterThan(looking(0) + 0.3)
    const shut = landmarks.map(([x, y], i) => (i >= 36 && i < 48 ? ([x, 30] as const) : ([x, y] as const)))
    expect(gazeSide({ data: new Float32Array(6000), width: 100, height: 60, channels: 1 }, shut)).toBeUndefined()
  })

  it('the white of open eyes is told, not that of shut ones', () => {
    const eye = (x: number, high: number) =>
      Array.from({ length: 6 }, (_, k) => {
        const angle = Math.PI + (2 * Math.PI * k) / 6
        return [x + 16 * Math.cos(angle), 30 + high * Math.sin(angle)] as const
      })
    const facing = (high: number) => [
      ...Array.from({ length: 36 }, () => [0, 0] as const),
      ...eye(30, high),
      ...eye(70, high),
      ...Array.from({ length: 20 }, () => [0, 0] as const),
    ]
    const image = { data: new Float32Array(100 * 60 * 3).fill(0.3), width: 100, height: 60, channels: 3 as const }
    for (const [x, white] of [
      [30, 0.8],
      [70, 0.6],
    ] as const)
      for (let v = -6; v <= 6; v++)
        for (let u = -16; u <= 16; u++)
          image.data.fill(Math.abs(u) < 5 ? 0.1 : white, 3 * ((30 + v) * 100 + x + u), 3 * ((30 + v) * 100 + x + u + 1))
    expect(eyeWhite(image, facing(7))).toBeCloseTo(0.7, 5)
    expect(eyeWhite(image, facing(1))).toBeUndefined()
  })

  it('quality counts copies and burnt-out faces', () => {
    const still = traitsOf(Array.from({ length: 6 }, () => ({ yawDegrees: 10 })))
    expect(qualityOf(still).duplicateShare).toBeCloseTo(5 / 6, 5)
    expect(qualityOf(traitsOf(turning(-30, 30))).duplicateShare).toBe(0)
    const clip = { bytes: 1000, pixels: 16_000 }
    expect(qualityOf(still, clip).bitsPerPixel).toBe(0.5)
  })
})

describe('the whole check', () => {
  it('counts the people of a side, without those of a face or two, and asks for one of SRC', () => {
    const some = traitsOf(turning(-36, 2))
    const person = (i: number) => (i < 8 ? 'p2' : i === 8 ? 'p3' : 'p1')
    const faces = Array.from({ length: 28 }, (_, i) => ({ ...some[i % some.length]!, person: person(i) }))
    const side = { faces }
    const { people, advice } = checkFaces(side, { faces: faces.slice(0, 6) })
    expect(people.src.map(({ person, faces: of }) => [person, of.length])).toEqual([
      ['p1', 19],
      ['p2', 8],
    ])
    expect(people.dst.map(({ person }) => person)).toEqual(['p2'])
    expect(advice.find(({ text }) => text.startsWith('SRC shows 2 people'))).toMatchObject({
      urgency: 'do',
      evidence: 'Faces of each: 19, 8.',
    })
  })

  const src = { faces: traitsOf(turning(-36, 2)) }
  const dst = { faces: traitsOf(turning(-36, 36, { person: 1 })) }
  const check = checkFaces(src, dst, [
    { name: 'small', assumes: 'Little time.', resolution: 64, faceType: 'full_face' },
    { name: 'large', assumes: 'Much time.', resolution: 256, faceType: 'full_face' },
  ])

  it('leads with what must be done and ends with what comes then', () => {
    expect(check.advice[0]!.urgency).toBe('do')
    expect(check.advice.at(-1)!.text).toMatch(/^Then train: dfl train/)
    expect(check.advice.some(({ text }) => text.includes('turned to its own left'))).toBe(true)
    expect(check.advice.some(({ text }) => text.includes('--uniform-yaw'))).toBe(true)
    expect(check.advice.every(({ evidence }) => evidence !== '')).toBe(true)
  })

  it('forecasts less where SRC looks less like DST and where faces are shaded otherwise', () => {
    const alike = checkFaces(dst, dst)
    expect(alike.shading).toBe(0)
    expect(alike.resemblance).toBeCloseTo(1, 6)
    expect(check.resemblance).toBeLessThan(0.9)
    expect(alike.coverage.distance).toBe(0)
    expect(check.coverage.distance).toBeGreaterThan(
      checkFaces({ faces: traitsOf(turning(-36, 36)) }, dst).coverage.distance,
    )
    expect(check.forecast).toBeLessThan(alike.forecast)
    const told = { shading: 0.1, resemblance: 0.6 }
    expect(forecast({ ...told, shading: 0.3 })).toBeLessThan(forecast(told))
    expect(forecast({ ...told, resemblance: 0.5 })).toBeLessThan(forecast(told))
    expect(forecast({ shading: 9, resemblance: 0 })).toBe(0)
  })

  it('tells another face, and another pose, as less alike, and brightness and contrast not at all', () => {
    const [own] = traitsOf([{}])
    const alikeWith = (shot: Shot, change = (v: number) => v) => {
      const [other] = traitsOf([shot])
      const { picture } = other!
      const src = [{ ...other!, picture: { ...picture, luma: picture.luma.map(change) } }]
      return resemblance(src, [own!], { nearest: [{ dst: own!.filename, src: [other!.filename], distance: 0 }] })
    }
    expect(alikeWith({}, (v) => 0.5 * v + 60)).toBeGreaterThan(0.99)
    expect(alikeWith({ person: 2 })).toBeLessThan(0.9)
    expect(alikeWith({ person: 2, yawDegrees: 30 })).toBeLessThan(alikeWith({ person: 2 }))
    const line = { ...own!.picture, landmarks: own!.picture.landmarks.map(([x]) => [x, 40] as const) }
    const flat = { ...own!, picture: line }
    expect(resemblance([flat], [flat], { nearest: [{ dst: flat.filename, src: [flat.filename], distance: 0 }] })).toBe(
      0,
    )
    expect(resemblance([], [own!], { nearest: [{ dst: own!.filename, src: [], distance: 0 }] })).toBe(0)
  })

  it('says where the next network that can be chosen is larger than the footage asks for', () => {
    const sized = (resolution: number) =>
      checkFaces(dst, dst, [{ name: 'big', assumes: 'A day.', resolution, faceType: 'full_face' }]).advice.find(
        ({ text }) => text.includes('--preset big'),
      )!.evidence
    const wanted = Number(/so (\d+) px would show/.exec(sized(64))![1])
    expect(sized(wanted)).not.toContain('The next network')
    expect(sized(2 * wanted)).toContain(`holds. The next network that can be chosen has ${2 * wanted} px.`)
  })

  it('names light that SRC does not have by the whites of the eyes, whatever the skin', () => {
    const lit = (white: number, brightness: number) => ({
      faces: dst.faces.map((face) => ({ ...face, eyeWhite: white, light: { ...face.light, brightness } })),
    })
    const about = (one: ReturnType<typeof lit>, other: ReturnType<typeof lit>) =>
      checkFaces(one, other)
        .advice.map(({ text, evidence }) => `${text} ${evidence}`)
        .filter((text) => text.includes('stops'))
    expect(about(lit(0.7, 0.4), lit(0.57, 0.4))).toEqual([
      "Shoot or find SRC in dimmer light, or bring it down by 0.7 stops before extracting: DST's light is one that SRC does not have. The whites of the eyes are 0.7 stops darker in DST than in SRC.",
    ])
    expect(about(lit(0.57, 0.4), lit(0.7, 0.4))[0]).toContain('brighter light')
    expect(about(lit(0.7, 0.45), lit(0.69, 0.35))).toEqual([])
    expect(about(lit(0.7, 0.45), lit(0.72, 0.35))).toEqual([])
    expect(about(lit(0.7, 0.45), lit(0.67, 0.43))).toEqual([])
    expect(exposureStops(lit(0.5, 0.4).faces.slice(0, 4), lit(0.9, 0.4).faces)).toBeUndefined()
  })

  it('says that darker faces are skin or light, where whites of eyes that are a little darker or not seen leave it open', () => {
    const side = (white: number | undefined, brightness: number) => ({
      faces: dst.faces.map(({ eyeWhite: _, ...face }) => ({
        ...{ ...face, light: { ...face.light, brightness } },
        ...(white === undefined ? {} : { eyeWhite: white }),
      })),
    })
    const about = (one: ReturnType<typeof side>, other: ReturnType<typeof side>) =>
      checkFaces(one, other).advice.find(({ text }) => text.includes('skin or light'))
    expect(about(side(0.72, 0.42), side(0.685, 0.365))).toEqual({
      urgency: 'fine',
      text: "DST's faces are 0.4 stops darker than SRC's: skin or light. Compare the backgrounds and the whites of the eyes: if DST's scene is darker, bring SRC down by as much before extracting; if only its skin is, leave both.",
      evidence: 'The whites of the eyes are 0.2 stops darker: too little to tell them apart.',
    })
    const unseen = about(side(undefined, 0.3), side(undefined, 0.4))!
    expect(unseen.text).toContain('0.9 stops brighter')
    expect(unseen.text).toContain('bring SRC up by as much')
    expect(unseen.evidence).toContain('not seen well enough')
    expect(about(side(0.72, 0.42), side(0.685, 0.4))).toBeUndefined()
    expect(about(side(undefined, 0.4), side(undefined, 0.4))).toBeUndefined()
    expect(skinStops([], dst.faces)).toBe(0)
  })

  it('makes a report that stands alone, with pictures, maps and safe text', () => {
    const names = shownFaces(check)
    const pictures = new Map([...names.src, ...names.dst].map((name) => [name, 'data:image/jpeg;base64,AAAA']))
    const html = checkReport({
      check,
      src: { name: '<b>.mp4', faces: src.faces },
      dst: { name: 'b.mp4', faces: dst.faces },
      pictures,
    })
    expect(html).toContain('&lt;b&gt;.mp4')
    expect(html).not.toMatch(/<script|(?:src|href)="(?!data:)|url\(/)
    expect(html.match(/<svg/g)).toHaveLength(3)
    expect(html.indexOf('What to do')).toBeLessThan(html.indexOf('The numbers'))
    expect(html).toContain('Not in SRC: turned to the left')
    const side = { name: 'b.mp4', faces: dst.faces }
    const same = checkReport({ check: checkFaces(dst, dst), src: side, dst: side, pictures: new Map() })
    expect(same).toContain('<b>0, 0, 0 %</b>')
  })
})

it('thumbnails of a face keep its fingerprint', () => {
  const [face] = traitsOf([{}])
  expect(face!.fingerprint).toMatch(/^[0-9a-f]{16}$/)
  expect(resize(head({}).image, { width: 9, height: 8 }).data).toHaveLength(216)
})
