// A shop with supabase-js. test_supabase_js.py runs it and compares what it prints: JSON, by name.
// Usage: node shop.mjs NODE_MODULES URL ANON_KEY USER_TOKEN SERVICE_KEY USER_ID
import { createRequire } from 'node:module'
const [modules, url, anonKey, userToken, serviceKey, userId] = process.argv.slice(2)
const { createClient } = createRequire(`${modules}/`)('@supabase/supabase-js')

// Supabase's gateway serves PostgREST below /rest/v1; here PostgREST stands alone. Node.js 20 has no WebSocket.
const fetchHere = (address, options) => fetch(String(address).replace('/rest/v1/', '/'), options)
const rest = { global: { fetch: fetchHere }, realtime: { transport: class {} }, auth: { persistSession: false } }
const visitor = createClient(url, anonKey, { ...rest, db: { schema: 'api' } })
const user = createClient(url, anonKey, { ...rest, db: { schema: 'api' }, accessToken: async () => userToken })
const service = createClient(url, serviceKey, { ...rest, db: { schema: 'api' } })
const told = ({ data, error, status }) =>
  error ? [status, error.code, JSON.parse(error.details?.startsWith('{') ? error.details : '{}').error ?? null] : data

const job = (key) => service.rpc('hold_tokens', { module_id: 'nano-banana-pro', user_id: userId, idempotency_key: key }).single()
const outcomes = {}
const note = async (name, call) => { outcomes[name] = told(await call) }

await note('packs', visitor.from('packs').select('pack_id, tokens').order('tokens').limit(1))
await note('spend of nobody', visitor.rpc('consume_tokens', { module_id: 'flux-dev' }))
await note('account', user.rpc('open_account').select('user_id, welcome'))
await note('balance', user.from('balance').select('balance, available').single())
await note('spend', user.rpc('consume_tokens', { module_id: 'flux-dev', idempotency_key: 'a' }).select('cost, balance, replayed'))
await note('spend again', user.rpc('consume_tokens', { module_id: 'flux-dev', idempotency_key: 'a' }).select('balance, replayed'))
await note('spend by header', user.rpc('consume_tokens', { module_id: 'flux-dev' }).select('balance, replayed').setHeader('Idempotency-Key', 'b'))
await note('the same header', user.rpc('consume_tokens', { module_id: 'flux-dev' }).select('balance, replayed').setHeader('Idempotency-Key', 'b'))
await note('too little', user.rpc('consume_tokens', { module_id: 'flux-dev', usage: { calls: 100 } }))
await note('grant by a user', user.rpc('add_tokens', { user_id: userId, tokens: 5 }))
await note('entries', user.from('entries').select('kind, tokens').order('seq'))
await note('another schema', user.schema('public').from('pictures').select('id'))

const failed = (await job('job 1')).data
await note('failed job', service.rpc('release_hold', { hold_id: failed.hold_id, user_id: userId }).select('released'))
const good = (await job('job 2')).data
outcomes['the same job'] = (await job('job 2')).data.hold_id === good.hold_id
await note('done job', service.rpc('capture_hold', { hold_id: good.hold_id, user_id: userId }).select('cost, balance'))
await job('job 3') // its worker is killed here
await note('held', user.from('balance').select('balance, available').single())

await note('picture', user.schema('public').rpc('order_picture', { prompt: 'a cat', key: 'p1' }).select('owner, prompt'))
await note('the same picture', user.schema('public').rpc('order_picture', { prompt: 'a cat', key: 'p1' }))
console.log(JSON.stringify(outcomes))
