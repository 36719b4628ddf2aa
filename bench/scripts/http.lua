-- What wrk sends. Arguments: what (spend, hold or balance), the prefix of paths, the token, the number of accounts,
-- and a number that no other run has.
local headers, what, prefix, accounts, run
local held = {}
local sent = 0

function init(args)
    what, prefix, accounts = args[1], args[2], tonumber(args[4])
    headers = {
        ["Authorization"] = "Bearer " .. args[3], ["Content-Type"] = "application/json",
        ["Content-Profile"] = "api", ["Accept-Profile"] = "api",
    }
    run = args[5]
    math.randomseed(tonumber(run))
    if what == "hold" then
        response = take_hold
    end
end

local function call(name, body)
    return wrk.format("POST", prefix .. "/rpc/" .. name, headers, body)
end

function request()
    if what == "balance" then
        return wrk.format("GET", prefix .. "/balance?select=balance,available", headers)
    end
    sent = sent + 1
    local key = what .. "-" .. run .. "-" .. sent
    local user = "user-" .. math.random(accounts)
    if what == "spend" then
        return call("consume_tokens", string.format(
            '{"module_id":"stablediffusion","user_id":"%s","idempotency_key":"%s"}', user, key))
    elseif #held > 0 then
        return call("capture_hold", string.format(
            '{"hold_id":"%s","usage":{"calls":%d},"idempotency_key":"%s"}', table.remove(held), math.random(5), key))
    end
    return call("hold_tokens", string.format(
        '{"module_id":"stablediffusion","user_id":"%s","usage":{"calls":5},"idempotency_key":"%s"}', user, key))
end

-- An answer that has an open hold is of hold_tokens. Its hold is captured next, by whichever connection is free.
function take_hold(status, _, body)
    if status == 200 and string.find(body, '"state": ?"open"') then
        held[#held + 1] = string.match(body, '"hold_id": ?"([^"]+)"')
    end
end

function done(summary, latency)
    io.write(string.format("requests %d microseconds %d refused %d broken %d p50 %d p99 %d\n",
        summary.requests, summary.duration, summary.errors.status,
        summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
