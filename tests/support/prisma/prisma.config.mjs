// Lets `prisma migrate deploy` run on the schema engine that its npm package holds as WebAssembly.

import { defineConfig } from 'prisma-migrate/config'
import { PrismaPg } from 'prisma-migrate-adapter-pg'
import { options } from './database.mjs'

async function adapter() {
  const factory = new PrismaPg(options(process.env.DATABASE_URL))
  const connect = factory.connect.bind(factory)
  factory.connect = async () => {
    const connected = await connect()
    // The adapter's own cuts a script at every semicolon, also inside functions.
    connected.executeScript = async (script) => {
      await connected.client.query(script)
    }
    return connected
  }
  return factory
}

export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'schema.prisma',
  migrations: { path: 'migrations' },
  adapter,
})
