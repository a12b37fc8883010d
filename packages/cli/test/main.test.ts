import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { DflError } from '@dfl/core'
import { createFrames, openFrames } from '@dfl/media'
import { describe, expect, it } from 'vitest'
import { exitCodeOf, inOurWords } from '../src/exit-codes.js'
import { lockWorkspace } from '../src/index.js'
import { dfl, scratchFolder, TINY, writeFaces, writeGrayFrames } from './support.js'

describe('help', () => {
  it('of the program names every command and every exit code', async () => {
    const { code, stdout } = await dfl('--help')
    expect(code).toBe(0)
    for (const word of ['run', 'extract', 'train', 'merge', 'demo', 'doctor', '130']) expect(stdout).toContain(word)
  })

  const COMMANDS = 'run extract faceset model check xseg train merge evaluate verify consent demo doctor'.split(' ')

  it.each([...COMMANDS, 'faceset sort', 'xseg train'])('of %s fits a screen', async (name) => {
    const { code, stdout } = await dfl(...name.split(' '), '--help')
    expect(code).toBe(0)
    expect(stdout).toContain(`dfl ${name} – `)
    expect(stdout).toContain('--help')
    expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(60)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('tells default, limits and unit of options from the tables', async () => {
    const { stdout } = await dfl('merge', '--help', 'all')
    expect(stdout.replace(/\s+/g, ' ')).toContain('(0 to 51; default 16)')
    expect(stdout).toContain('--encoder-preset')
  })
})

describe('options that are rarely needed', () => {
  it('are named by --help, and explained by --help all', async () => {
    const { stdout: usual } = await dfl('merge', '--help')
    expect(usual).toContain('More options, explained by dfl merge --help all')
    expect(usual).toContain('--feather-top')
    expect(usual).not.toContain('--feather-top <n>')
    const { stdout: all } = await dfl('merge', '--help', 'all')
    expect(all).toContain('--feather-top <n>')
    expect(all).not.toContain('explained by')
  })

  it('say of what is on by default that --no- switches it off', async () => {
    const { stdout } = await dfl('merge', '--help', 'all')
    expect(stdout).toMatch(/--\[no-\]provenance +Say in the result[^(]+\(default on\)/)
  })
})

describe('bad input', () => {
  it('of an unknown command ends with 2 and what was probably meant', async () => {
    const { code, stderr } = await dfl('mrege')
    expect(code).toBe(2)
    expect(stderr).toContain("but got 'mrege'. Did you mean merge? See: dfl --help")
  })

  it('of wrong options ends with 2 and names all of them', async () => {
    const { code, stderr } = await dfl('train', '--tmie', '5m', '--preset', 'huge')
    expect(code).toBe(2)
    expect(stderr).toBe(
      'dfl: There is no option --tmie. Did you mean --time?\n' +
        "Expected one of preview, quick, standard, film, quick96 for `--preset`, but got 'huge'.\n" +
        'See: dfl train --help\n',
    )
  })

  it('of a missing file ends with 3, also as a line of JSON', async () => {
    await using scratch = await scratchFolder()
    const line = ['extract', '--side', 'src', '--input', scratch.at('no.mp4'), '--workspace', scratch.at('w')]
    const { code, stdout } = await dfl(...line, '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({
      event: 'error',
      code: 'NO_SUCH_FILE',
      exitCode: 3,
    })
  })

  it('leaves no folder behind that holds nothing', async () => {
    await using scratch = await scratchFolder()
    await dfl('train', '--workspace', scratch.at('new'))
    await mkdir(scratch.at('old'))
    await dfl('train', '--workspace', scratch.at('old'))
    expect(await readdir(scratch.at('.'))).toEqual(['old'])
  })

  it('of a workspace that a newer program wrote ends with 3', async () => {
    await using scratch = await scratchFolder()
    await writeFile(scratch.at('workspace.json'), '{ "format": 3 }')
    const { code, stderr } = await dfl('train', '--workspace', scratch.at('.'))
    expect(code).toBe(3)
    expect(stderr).toContain('but got format 3, of a newer dfl. Use that one, or another --workspace.')
  })

  it('of an empty or a broken video ends with 3', async () => {
    await using scratch = await scratchFolder()
    await writeFile(scratch.at('empty.mp4'), '')
    await writeFile(scratch.at('text.mp4'), 'no video at all')
    for (const [file, sentence] of [
      ['empty.mp4', 'an empty file'],
      ['text.mp4', 'something libav cannot open'],
    ]) {
      const line = ['extract', '--side', 'src', '--input', scratch.at(file!), '--workspace', scratch.at('w')]
      const { code, stderr } = await dfl(...line)
      expect({ file, code }).toEqual({ file, code: 3 })
      expect(stderr).toContain(sentence)
    }
  })

  it('without any face ends with 3, and the same clip can be tried with other options', async () => {
    await using scratch = await scratchFolder()
    await writeGrayFrames(scratch.at('gray'))
    const line = ['extract', '--side', 'src', '--input', scratch.at('gray'), '--workspace', scratch.at('w')]
    for (const more of [[], ['--min-score', '0.2']]) {
      const { code, stderr } = await dfl(...line, ...more)
      expect(code).toBe(3)
      expect(stderr).toContain('Expected faces in `gray`, but got none in 2 frames.')
    }
  })

  it('with a broken image ends with 3, and goes on when that is mended, but not where images that were done are others', async () => {
    await using scratch = await scratchFolder()
    const clip = fileURLToPath(new URL('../../../examples/footage/pair1-src.mp4', import.meta.url))
    await using source = await openFrames(clip, { end: 6 })
    const sink = await createFrames(scratch.at('shot'), { like: source })
    for await (const frame of source.frames()) await sink.write(frame)
    await sink.finish()
    await rename(scratch.at('shot', '000004.png'), scratch.at('whole.png'))
    await writeFile(scratch.at('shot', '000004.png'), 'half')
    const line = ['extract', '--side', 'src', '--input', scratch.at('shot'), '--workspace', scratch.at('w')]
    const broken = await dfl(...line, '--detect-every', '1')
    expect(broken.code).toBe(3)
    expect(broken.stderr).toContain('000004.png')
    const mend = new Date(Date.now() + 5000)
    await copyFile(scratch.at('whole.png'), scratch.at('shot', '000004.png'))
    await utimes(scratch.at('shot', '000004.png'), mend, mend)
    const mended = await dfl(...line, '--json')
    expect(JSON.parse(mended.stdout.trim().split('\n').at(-1)!)).toMatchObject({ event: 'result', frames: 6, faces: 6 })
    // Rendered anew with as many bytes as before, as uncompressed images are.
    const later = new Date(Date.now() + 9000)
    await utimes(scratch.at('shot', '000001.png'), later, later)
    expect((await dfl(...line)).stderr).toContain('but got footage that has changed since.')
    await copyFile(scratch.at('whole.png'), scratch.at('shot', '000001.png'))
    await utimes(scratch.at('shot', '000001.png'), later, later)
    expect((await dfl(...line)).stderr).toContain('but got footage that has changed since.')
  }, 30_000)

  it('of SRC and DST of different face types ends with 3 when training', async () => {
    await using scratch = await scratchFolder()
    await writeFaces(scratch.at('w/src/aligned'), 'full_face')
    await writeFaces(scratch.at('w/dst/aligned'), 'whole_face')
    const { code, stderr } = await dfl('train', '--workspace', scratch.at('w'), '--iterations', '1', ...TINY)
    expect(code).toBe(3)
    expect(stderr).toContain('but got full_face for SRC and whole_face for DST.')
  })

  it('of another face type than the other side has ends with 3 when extracting', async () => {
    await using scratch = await scratchFolder()
    await writeFaces(scratch.at('w/src/aligned'), 'full_face')
    await writeGrayFrames(scratch.at('gray'))
    const record = { format: 2, faceType: 'full_face' }
    await writeFile(scratch.at('w/workspace.json'), JSON.stringify(record))
    const line = ['extract', '--side', 'dst', '--input', scratch.at('gray'), '--workspace', scratch.at('w')]
    const { code, stderr } = await dfl(...line, '--face-type', 'head')
    expect(code).toBe(3)
    expect(stderr).toContain(
      'Expected full_face, the face type of SRC in this workspace, for `--face-type`, but got head.',
    )
  })

  it('of a workspace in use ends with 3 and says who uses it', async () => {
    await using scratch = await scratchFolder()
    await using _ = await lockWorkspace(scratch.at('w'), 'train')
    const { code, stderr } = await dfl('merge', '--workspace', scratch.at('w'))
    expect(code).toBe(3)
    expect(stderr).toContain(`uses (process ${process.pid} on `)
  })

  it('before any training ends with 3 and tells the command that is missing', async () => {
    await using scratch = await scratchFolder()
    const { code, stderr } = await dfl('train', '--workspace', scratch.at('w'), '--time', '1s')
    expect(code).toBe(3)
    expect(stderr).toContain('Extract them first: dfl extract --side src')
  })
})

/** One gray frame of MPEG-2 that says it holds two moments: `ffmpeg -vf setfield=tff -flags +ildct+ilme`. */
const INTERLACED_MKV =
  'GkXfo6NChoEBQveBAULygQRC84EIQoKIbWF0cm9za2FCh4EEQoWBAhhTgGcBAAAAAAACMhFNm3TAv4QSG9VNTbuLU6uEFUmpZlOsgaFNu4tT' +
  'q4QWVK5rU6yBzE27jFOrhBJUw2dTrIIBHU27jFOrhBxTu2tTrIICFuwBAAAAAAAAUwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' +
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFUmpZqa/hEdLJvQq17GDD0JATYCETGF2ZldBhExh' +
  'dmZEiYhARAAAAAAAABZUrmvMv4TvxS54rgEAAAAAAAA914EBc8WIAAAAAAAAAAGcgQAitZyDdW5kiIEAhodWX01QRUcyg4EBI+ODhAJiWgDg' +
  'jLCBQLqBQJqBAZ2BCRJUw2fbv4QjBh/nc3PSY8CLY8WIAAAAAAAAAAFnyJxFo4dFTkNPREVSRIePTGF2YyBtcGVnMnZpZGVvZ8iiRaOIRFVS' +
  'QVRJT05Eh5QwMDowMDowMC4wNDAwMDAwMDAAAB9DtnVAk7+ECJtk0OeBAKNAh4EAAIAAAAGzBABAE///4BgAAAG1FIIAAQAAAAABuAAIAEAA' +
  'AAEAAA//+AAAAbWP//OAAAAAAQETLSlIi0pSkRaUpSItKUpEQAAAAQITLSlIi0pSkRaUpSItKUpEQAAAAQMTLSlIi0pSkRaUpSItKUpEQAAA' +
  'AQQTLSlIi0pSkRaUpSItKUpEQBxTu2uXv4Sy08Whu4+zgQC3iveBAfGCAX3wgQk='

describe('a folder with photos that are not read', () => {
  it('has them named before its faces are looked for', async () => {
    await using scratch = await scratchFolder()
    await writeGrayFrames(scratch.at('photos'))
    for (const name of ['notes.txt', 'b.HEIC', '.hidden.heic']) await writeFile(scratch.at('photos', name), 'x')
    const line = ['extract', '--side', 'src', '--input', scratch.at('photos'), '--workspace', scratch.at('w')]
    const end =
      'left out: of a folder, png, tiff, exr, jpg and webp images are taken. Convert other images, and extract clips one by one.'
    expect((await dfl(...line)).stderr).toContain(`! 'b.HEIC' is ${end}`)
    await writeFile(scratch.at('photos', 'a.mov'), 'x')
    expect((await dfl(...line)).stderr).toContain(`! 2 files, such as 'a.mov', are ${end}`)
  })

  it('has animations named, of which one picture is read', async () => {
    await using scratch = await scratchFolder()
    await writeGrayFrames(scratch.at('photos'))
    const head = 'RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0'
    await writeFile(scratch.at('photos', 'moving.webp'), Buffer.from(`${head}\x02${'\0'.repeat(15)}`, 'latin1'))
    await writeFile(scratch.at('photos', 'still.webp'), Buffer.from(`${head}\x10${'\0'.repeat(15)}`, 'latin1'))
    const line = ['extract', '--side', 'src', '--input', scratch.at('photos'), '--workspace', scratch.at('w')]
    expect((await dfl(...line)).stderr).toContain(
      "! 'moving.webp' is animated: only the first picture of an animated WebP is read.",
    )
  })
})

describe('an interlaced clip', () => {
  it('is told of once before its faces are looked for, with the way to make it progressive', async () => {
    await using scratch = await scratchFolder()
    // Camcorders' own ending, which no result has.
    await writeFile(scratch.at('tape.mts'), Buffer.from(INTERLACED_MKV, 'base64'))
    const { stderr } = await dfl(
      'extract',
      '--side',
      'src',
      '--input',
      scratch.at('tape.mts'),
      '--workspace',
      scratch.at('w'),
    )
    expect(stderr).toContain('! tape.mts is interlaced: a frame holds two moments')
    expect(stderr).toContain('ffmpeg -i tape.mts -vf bwdif')
    expect(stderr.split('is interlaced').length).toBe(2)
  })
})

describe('damaged footage', () => {
  it('is told of, and its other frames are looked at', async () => {
    await using scratch = await scratchFolder()
    const bytes = await readFile(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url))
    bytes.fill(0x5a, 30_000, 34_000)
    await writeFile(scratch.at('damaged.mp4'), bytes)
    const to = ['--workspace', scratch.at('w'), '--every-nth', '48', '--json']
    const { code, stderr, stdout } = await dfl('extract', '--side', 'src', '--input', scratch.at('damaged.mp4'), ...to)
    expect(stderr).toMatch(/! Expected a whole frame \d+ \(about [\d.]+ s\) in `/)
    expect(code).toBe(0)
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({ event: 'result', frames: 4 })
  })

  it('of which most is missing is refused', async () => {
    await using scratch = await scratchFolder()
    const bytes = await readFile(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url))
    await writeFile(scratch.at('half.mp4'), bytes.subarray(0, bytes.length / 4))
    const to = ['--workspace', scratch.at('w')]
    const { code, stderr } = await dfl('extract', '--side', 'src', '--input', scratch.at('half.mp4'), ...to)
    expect(code).toBe(3)
    expect(stderr).toMatch(/Expected a whole frame \d+ .*half\.mp4.*repair the file\./)
  })
})

describe('a whole run', () => {
  it('tells what its training or its merge cannot do before it looks for a face', async () => {
    await using scratch = await scratchFolder()
    for (const side of ['src', 'dst']) await writeGrayFrames(scratch.at(side))
    const clips = ['--src', scratch.at('src'), '--dst', scratch.at('dst'), '--workspace', scratch.at('w')]
    for (const [exitCode, flags, told] of [
      [3, ['--mask', 'XSeg-dst'], 'Expected a trained XSeg for `--xseg`'],
      [3, ['--certificate', scratch.at('no.pem'), '--key', scratch.at('no.key')], scratch.at('no.pem')],
      [3, ['--out', scratch.at('c.webm')], 'Expected a container that can hold h264'],
      [3, ['--recipe', scratch.at('no.json')], 'Expected a recipe at'],
      [3, ['--control', 'morph=0.5'], 'Expected no control, since this model has none, but got `morph`. Leave it out.'],
      [3, ['--architecture', 'amp', '--control', 'mix=1'], 'Expected one of morph as a control, but got `mix`.'],
      [2, ['--architecture', 'amp', '--control', 'morph=2'], 'Expected a number between 0 and 1 for `morph`'],
      [2, ['--architecture', 'liae'], 'That is saehd with its `archi` liae.'],
      [2, ['--architecture', 'xseg'], "but got 'xseg'. It finds masks and paints no faces: dfl xseg train."],
      [
        2,
        ['--architecture', 'saehd', '--true-face-power', '0.01'],
        'Expected 0 for `--true-face-power`, but got 0.01.',
      ],
      [2, ['--resolution', '80'], 'Expected a multiple of 32 for `--resolution`'],
    ] as const) {
      const { code, stderr } = await dfl('run', ...clips, ...flags)
      expect(code).toBe(exitCode)
      expect(stderr).toContain(told)
      expect(stderr).not.toContain('> Extract')
      expect(existsSync(scratch.at('w/model'))).toBe(false)
    }
  })
})

describe('a clip whose pixels are not square', () => {
  it('is told of before its faces are looked for, with the way to make them square', async () => {
    await using scratch = await scratchFolder()
    await writeGrayFrames(scratch.at('gray'))
    await using gray = await openFrames(scratch.at('gray'))
    const like = { ...gray.info, sampleAspectRatio: { num: 4, den: 3 } }
    const sink = await createFrames(scratch.at('hdv.mp4'), { like })
    for await (const frame of gray.frames()) await sink.write(frame)
    await sink.finish()
    const line = ['extract', '--side', 'src', '--input', scratch.at('hdv.mp4'), '--workspace', scratch.at('w')]
    const { stderr } = await dfl(...line)
    expect(stderr).toContain(
      '! The pixels of hdv.mp4 are not square (4:3), and faces are found and learnt as they are stored: too narrow.',
    )
    expect(stderr).toContain('ffmpeg -i hdv.mp4 -vf "scale=round(iw*sar/2)*2:ih,setsar=1"')
  })
})

describe('exit codes', () => {
  it('say which kind of error it was', () => {
    const codes = (['BAD_OPTION', 'NO_FACES', 'DISK_FULL', 'NAN_LOSS'] as const).map((code) =>
      exitCodeOf(new DflError(code, '')),
    )
    expect([...codes, exitCodeOf(new Error('?'))]).toEqual([2, 3, 4, 1, 1])
  })

  it('of a full disk is 4, also where the operating system says it', () => {
    const error = inOurWords(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', path: 'w/model/log.jsonl' }))
    expect(exitCodeOf(error)).toBe(4)
    expect((error as Error).message).toContain('Expected room to write `w/model/log.jsonl`, but the disk is full.')
  })

  it('of a folder without permission is 3', () => {
    const error = inOurWords(Object.assign(new Error('EACCES'), { code: 'EACCES', path: '/root/x' }))
    expect(exitCodeOf(error)).toBe(3)
    expect((error as Error).message).toBe(
      'Expected to read or write `/root/x`, but got no permission to use it. Change its permissions, or choose another place.',
    )
  })
})
