-- wrk sends the body that is named after `--` at random moments; the second argument is the mean pause of a connection in
-- milliseconds.
local body, pause

function init(args)
    body, pause = args[1], tonumber(args[2])
end

function delay()
    return math.random(0, math.floor(2 * pause))
end

function request()
    return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, body)
end
