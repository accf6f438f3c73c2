{# Feeds that tell race and gender, in the order in which they are believed within a year. #}
{% set feeds = [
    ('k12_enrollment', 'stg_k12__enrollment', 'school_year', true),
    ('early_childhood_enrollment', 'stg_early_childhood__enrollment', 'school_year', true),
    ('postsecondary_enrollment', 'stg_postsecondary__enrollment', school_year_of('begin_date'), true),
    ('postsecondary_credit', 'stg_postsecondary__credit', school_year_of('term_begin_date'), true),
    ('program_participation', 'stg_program__participation', 'school_year', true),
    ('k12_assessment', 'stg_k12__assessment', 'school_year', true),
    ('early_childhood_assessment', 'stg_early_childhood__assessment', 'school_year', true),
    ('k12_graduation', 'stg_k12__graduation', 'school_year', false),
    ('k12_fafsa', 'stg_k12__fafsa', 'school_year', false),
    ('postsecondary_award', 'stg_postsecondary__award', school_year_of('award_date'), false),
    ('workforce_wage_quarter', 'stg_workforce__wage_quarter', 'year', false),
] %}

with reported as (
    {% for feed_id, model, reported_year, has_groups in feeds %}
        select
            person_key,
            '{{ feed_id }}' as feed_id,
            {{ loop.index }} as feed_rank,
            partner_id,
            cast({{ reported_year }} as integer) as reported_year,
            {% if has_groups %}
                race_codes,
                is_hispanic,
                gender,
            {% else %}
                cast(null as string) as race_codes,
                cast(null as boolean) as is_hispanic,
                cast(null as string) as gender,
            {% endif %}
            birth_year,
            delivery_seq,
            source_row
        from {{ ref(model) }}
        where person_key is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    person_key,
    feed_id,
    feed_rank,
    partner_id,
    reported_year,
    race_codes,
    is_hispanic,
    gender,
    cast(birth_year as bigint) as birth_year,
    count(*) as row_n,
    max(delivery_seq * 100000000 + source_row) as arrival_rank
from reported
group by person_key, feed_id, feed_rank, partner_id, reported_year, race_codes, is_hispanic, gender, birth_year
