/* sample.c -- lathe sample: writes made-up taxi months in the open data's layout. */
#include "command_int.h"

static json_t *month_json(const SampleMonth *m)
{
    json_t *o = json_object();
    result_text(o, "path", m->path);
    result_int(o, "rows", (int64_t)m->rows);
    result_int(o, "bytes", (int64_t)m->bytes);
    result_int(o, "outliers", (int64_t)m->outliers);
    result_int(o, "broken_lines", (int64_t)m->broken_lines);
    result_int(o, "broken_numbers", (int64_t)m->broken_numbers);
    result_real(o, "noise", m->noise);
    return o;
}

static bool run(CommandCall *call, json_t **result, Error *err)
{
    SampleReport report;
    if (!sample_write(call->word[0], call->settings, &report, err))
        return false;
    *result = json_pack("{s:[o, o]}", "months", month_json(&report.month[0]),
                        month_json(&report.month[1]));
    return true;
}

static const Arg args[] = {{.name = "DIR", .kind = ARG_FILE, .about = "the folder to write to"}, ARG_END};

const Command sample_command = {
    .name = "sample",
    .about = "writes two months of made-up taxi trips, the second one drifted",
    .details = "The layout is that of Washington DC's open trip data; the trips are generated, never real.\n"
               "noise is the deviation around the tariff: no model can be better than that.",
    .example = "lathe sample months rows=20000 seed=1 drift=1",
    .args = args,
    .params_size = sizeof(SampleOptions),
    .shared = sample_params,
    .run = run,
};
