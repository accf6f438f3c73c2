{% set feeds = [
    ('k12_enrollment', 'stg_k12__enrollment', 'school_year'),
    ('k12_attendance', 'stg_k12__attendance', 'school_year'),
    ('k12_assessment', 'stg_k12__assessment', 'school_year'),
    ('k12_course', 'stg_k12__course', 'school_year'),
    ('k12_discipline', 'stg_k12__discipline', 'school_year'),
    ('k12_fafsa', 'stg_k12__fafsa', 'school_year'),
    ('k12_graduation', 'stg_k12__graduation', 'school_year'),
    ('early_childhood_enrollment', 'stg_early_childhood__enrollment', 'school_year'),
    ('early_childhood_assessment', 'stg_early_childhood__assessment', 'school_year'),
    ('program_participation', 'stg_program__participation', 'school_year'),
    ('postsecondary_enrollment', 'stg_postsecondary__enrollment', school_year_of('begin_date')),
    ('postsecondary_award', 'stg_postsecondary__award', school_year_of('award_date')),
    ('postsecondary_credit', 'stg_postsecondary__credit', school_year_of('term_begin_date')),
    ('workforce_wage_quarter', 'stg_workforce__wage_quarter', 'year'),
] %}

with delivered as (
    {% for feed_id, model, school_year in feeds %}
        select
            '{{ feed_id }}' as feed_id,
            partner_id,
            cast({{ school_year }} as bigint) as school_year,
            count(*) as row_n,
            count(distinct person_key) as person_n,
            sum(case when person_key is null then 1 else 0 end) as unlinked_n
        from {{ ref(model) }}
        group by 1, 2, 3
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

enroller as (
    select distinct partner_id from delivered where feed_id = 'k12_enrollment' -- one row a partner, whatever the years
)

select
    delivered.feed_id,
    delivered.partner_id,
    delivered.school_year,
    delivered.row_n,
    delivered.person_n,
    cast(delivered.unlinked_n as bigint) as unlinked_n,
    -- A partner without students of its own (a state, a clearinghouse) sends for all.
    enroller.partner_id is null as is_for_all
from delivered
left join enroller on delivered.partner_id = enroller.partner_id
where delivered.school_year is not null
