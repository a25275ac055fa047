-- What wrk has seen, in microseconds and as JSON: its own report is rounded for people.
function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests":%d,"duration_us":%d,"bytes":%d,"errors":%d,"latency_us_min":%d,"latency_us_p50":%d}\n',
      summary.requests, summary.duration, summary.bytes,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency.min, latency:percentile(50)))
end
