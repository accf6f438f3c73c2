{{ value_intervals(ref('int_enrollment__student_year'), 'zip_code', '99') }}
