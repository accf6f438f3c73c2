{{ value_intervals(ref('int_person__economic_status_by_year'), 'economic_group', indicator_parameter('economic_carry_forward_years', 'integer')) }}
