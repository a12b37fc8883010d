import { describe, expect, it } from 'vitest'
import { programsOf, wrongPrograms } from '../check-snippets.mjs'

const page = (code) => `# Page\n\n\`\`\`ts\n${code}\n\`\`\`\n`

describe('programs in pages', () => {
  it('are blocks that import something of @dfl, with the line they begin on', () => {
    expect(programsOf(page("import { take } from '@dfl/core'"))).toEqual([
      { code: "import { take } from '@dfl/core'\n", line: 4 },
    ])
    expect(programsOf(page('const excerpt = options.blur'))).toEqual([])
    expect(programsOf("```sh\nimport x from '@dfl/core'\n```\n")).toEqual([])
  })

  it('are held to the types of what they import, by page and line', () => {
    const right = page("import { median } from '@dfl/core'\nimport { mine } from './mine.js'\nmedian(mine)")
    const wrong = page("import { median } from '@dfl/core'\n\nmedian('many')")
    const gone = page("import { nothingLikeThis } from '@dfl/core'")
    const problems = wrongPrograms([
      ['right.md', right],
      ['wrong.md', wrong],
      ['gone.md', gone],
    ])
    expect(problems).toHaveLength(2)
    expect(problems[0]).toMatch(/^wrong\.md:6: Argument of type 'string' is not assignable/)
    expect(problems[1]).toMatch(/^gone\.md:4: .*'nothingLikeThis'/)
  })
})
