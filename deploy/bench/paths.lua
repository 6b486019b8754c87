-- wrk requests a random path of those in the file that is named after `--`.
local paths = {}

function init(args)
    for path in io.lines(args[1]) do
        paths[#paths + 1] = path
    end
end

function request()
    return wrk.format(nil, paths[math.random(#paths)])
end
