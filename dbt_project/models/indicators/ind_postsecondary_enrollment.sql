{% set limit = day_in_year('graduate.class_year', indicator_parameter('postsecondary_fall_limit', 'string')) %}

{{ postsecondary_enrollment_indicator('postsecondary_enrollment', limit, limit) }}
