// A page that uses both kinds of generated types: test_generators.py generates them and type-checks it.
import { PostgrestClient } from '@supabase/postgrest-js'
import createClient from 'openapi-fetch'
import type { paths } from './api'
import type { Database } from './database'

const bank = new PostgrestClient<Database, {}, 'api'>('http://127.0.0.1/rest/v1', { schema: 'api' })
const http = createClient<paths>({ baseUrl: 'http://127.0.0.1' })

export async function spend(): Promise<number | null> {
  const { data: quote } = await bank.rpc('quote_tokens', { module_id: 'whisper', usage: { calls: 2 } })
  const use = { module_id: 'whisper', idempotency_key: 'k' }
  const { data, error } = await bank.rpc('consume_tokens', use).select('cost,balance')
  if (error) throw new Error(error.message)
  const { data: entries } = await bank.from('entries').select('kind,tokens,balance_after').lt('tokens', 0).order('posted_at').limit(10)
  const first: number | null | undefined = entries?.[0]?.tokens
  await bank.rpc('set_spend_limit', { period: 'day', tokens: 100 })
  await bank.rpc('lift_spend_limit', { period: 'day' })
  await bank.rpc('add_tokens', { user_id: 'ada', tokens: 5, reason: 'promo' })
  // @ts-expect-error: a reason is a text
  await bank.rpc('add_tokens', { user_id: 'ada', tokens: 5, reason: 5 })
  // @ts-expect-error: a limit is lifted by a function of its own
  await bank.rpc('set_spend_limit', { period: 'day', tokens: null })
  // @ts-expect-error: there is no such view
  await bank.from('nonsense').select('*')
  return data?.cost ?? quote?.cost ?? first ?? null
}

export async function read(): Promise<string> {
  const { data, error } = await http.GET('/rest/v1/balance', { params: { query: { select: 'balance', user_id: 'eq.ada' } } })
  if (error) return error.message
  const balance: number | null | undefined = data[0]?.balance
  const receipt = await http.POST('/rest/v1/rpc/consume_tokens', { body: { module_id: 'whisper' } })
  if (receipt.error) return `${receipt.error.code}: ${receipt.error.message}`
  await http.POST('/rest/v1/rpc/lift_spend_limit', { body: { period: 'day' } })
  // @ts-expect-error: there is no such argument
  await http.POST('/rest/v1/rpc/lift_spend_limit', { body: { month: 'day' } })
  return `${balance} ${receipt.data.cost}`
}
