"""A lane, whole: one document after the other, with nothing but Python."""
import functools, json, sys, time, urllib.request
from collections import Counter
job, bodies, service_times_ns, start_ns = json.load(sys.stdin), [], [], time.perf_counter_ns()
if job["protocol"] != 1:
    sys.exit("this lane speaks protocol 1")
for index in range(job["documents"]):
    url = job["origin"] + job["path"].replace("{id}", str(job["ids"][index % len(job["ids"])]))
    sent_ns = time.perf_counter_ns()
    try:
        bodies.append(urllib.request.urlopen(url).read())
    except OSError as error:
        sys.exit(print(json.dumps({"protocol": 1, "failed": {"url": url, "why": str(error)}})))
    service_times_ns.append([time.perf_counter_ns() - sent_ns, 1])
docs = [json.loads(body) for body in bodies]
heaviest = sorted({(-one["weight"], one["id"], one["name"]) for one in docs})[:job["top"]]
fnv1a = functools.partial(functools.reduce, lambda h, byte: (h ^ byte) * 0x100000001B3 % 2**64)
names_checksum = sum(fnv1a(one["name"].encode(), 0xCBF29CE484222325) for one in docs) % 2**64
answer = {"documents": len(docs), "bytes": sum(map(len, bodies)), "top": job["top"],
          "weight_sum": str(sum(one["weight"] for one in docs)),
          "height_sum": str(sum(one["height"] for one in docs)),
          "base_experience_sum": str(sum(one.get("base_experience") or 0 for one in docs)),
          "stat_sum": str(sum(slot["base_stat"] for one in docs for slot in one["stats"])),
          "moves": sum(len(one["moves"]) for one in docs),
          "types": Counter(slot["type"]["name"] for one in docs for slot in one["types"]),
          "heaviest": [dict(weight=-weight, id=id, name=name) for weight, id, name in heaviest],
          "names_checksum": f"{names_checksum:016x}"}
completed = {"answer": answer, "wall_ns": time.perf_counter_ns() - start_ns,
             "service_times_ns": service_times_ns}
json.dump({"protocol": 1, "completed": completed}, sys.stdout)
