import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { consentHash, parseConsent, sealFile, selfMadeIdentity } from '@dfl/provenance'
import { describe, expect, it } from 'vitest'
import { openWorkspace } from '../src/index.js'
import { lawOf } from '../src/law.js'
import { openSealer } from '../src/provenance.js'
import { dfl, scratchFolder } from './support.js'

const CLIP = fileURLToPath(new URL('../../../examples/footage/pair1-dst.mp4', import.meta.url))

const ORIGIN = {
  tool: { name: 'dfl', version: '0.1.0' },
  dst: { name: 'b.mp4', format: 'video/mp4', sha256: 'ab'.repeat(32) },
  model: { architecture: 'df', iterations: 1200, sha256: 'cd'.repeat(32) },
}

describe('dfl verify', () => {
  it('tells what a sealed file says and by whom, and exits with 3 once it is edited', async () => {
    await using scratch = await scratchFolder()
    const path = scratch.at('c.mp4')
    await copyFile(CLIP, path)
    await sealFile(path, { origin: ORIGIN, identity: await selfMadeIdentity(scratch.at('own')) })
    const { code, stdout } = await dfl('verify', path)
    expect(code).toBe(0)
    for (const line of [
      'Verdict   Intact: it is as it was when it was signed.',
      'It says   compositeWithTrainedAlgorithmicMedia',
      `Model     df, 1200 iterations, SHA-256 ${ORIGIN.model.sha256}`,
      'Consent   no record',
      'Self-made by dfl (identity not checked)',
    ])
      expect(stdout).toContain(line)

    const bytes = await readFile(path)
    bytes[200_000]! ^= 1
    await writeFile(path, bytes)
    const edited = await dfl('verify', path, '--json')
    expect(edited.code).toBe(3)
    expect(JSON.parse(edited.stdout)).toMatchObject({
      event: 'result',
      verdict: 'changed',
      signedBy: { selfMade: true },
    })
  })

  it('says of footage without marks that it says nothing', async () => {
    const { code, stdout } = await dfl('verify', CLIP)
    expect(code).toBe(0)
    expect(stdout).toContain('Verdict   It says nothing about where it comes from.')
  })
})

describe('dfl consent', () => {
  it('keeps a record in the workspace, shows it, and says what a wrong one lacks', async () => {
    await using scratch = await scratchFolder()
    const at = ['--workspace', scratch.at('w')]
    expect((await dfl('consent', ...at)).stdout).toContain('There is no consent record.')
    expect((await dfl('consent', ...at, '--who', 'Ada')).stderr).toContain(
      'Expected a text for `--scope`, but got nothing.',
    )
    await dfl('consent', ...at, '--who', 'Ada', '--scope', 'Film X', '--until', '2020-01-01')
    const text = await readFile(scratch.at('w/consent.json'), 'utf8')
    const { stdout } = await dfl('consent', ...at)
    expect(stdout).toContain(`SHA-256 ${consentHash(parseConsent(text, ''))}`)
    expect(stdout).toContain('Until    2020-01-01 (over)')
    const { notices } = await openSealer(await openWorkspace(scratch.at('w')))
    expect(notices).toEqual([`The consent of Ada ended on 2020-01-01: ${scratch.at('w/consent.json')}`])
  })
})

describe('openSealer', () => {
  it('writes down in the workspace that a result was made without a mark, and says what the law may ask', async () => {
    await using scratch = await scratchFolder()
    const sealer = await openSealer(await openWorkspace(scratch.at('w')), { provenance: false })
    expect(sealer.notices.join()).toContain('EU AI Act, Art. 50')
    await sealer.logged('/c.mp4')
    const { record } = await openWorkspace(scratch.at('w'))
    expect(record.withoutProvenance).toMatchObject([{ result: '/c.mp4', at: expect.stringMatching(/^\d{4}-/) }])
  })

  it('refuses before the work a certificate without its key, and files that are not there', async () => {
    await using scratch = await scratchFolder()
    const workspace = await openWorkspace(scratch.at('w'))
    await expect(openSealer(workspace, { certificate: 'a.pem' })).rejects.toThrow(
      'Expected `--certificate` and `--key`, but got only one of them. Give both, or none for a self-made certificate.',
    )
    await expect(openSealer(workspace, { certificate: 'none.pem', key: 'none.pem' })).rejects.toThrow(
      'Expected a PEM file for `certificate`, but there is nothing at `none.pem`. Check the path.',
    )
  })
})

describe('lawOf', () => {
  it("names the AI Act where it holds, and where the result may be seen; other countries' own rules first", () => {
    expect(lawOf('de-DE')).toMatch(/^The law may ask for a mark\. In Germany this is the EU AI Act, Art\. 50/)
    expect(lawOf('zh-CN')).toMatch(/In China: the Measures for Labelling.*Where the result is seen in the EU/)
    expect(lawOf('en')).toMatch(/^The law may ask for a mark\. Where the result is seen in the EU/)
    expect(lawOf('pt-BR')).toContain('What holds in Brazil is not known here.')
  })
})
